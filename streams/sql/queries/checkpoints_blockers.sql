-- Whether the subscription is paused, and the contexts that have open dead letters or, of events that come again after a reset,
-- resolved ones. No event waits behind a foreign record.
select
  exists (select from {schema}.pauses where subscription = $1) as is_paused,
  array(
    select distinct d.source
    from {schema}.dead_letters d
    join unnest($2::text[], $3::int[], $4::bigint[]) at (source, partition, position) on at.source = d.source
    where d.subscription = $1 and d.position is not null
      and (d.state in ('retrying', 'parked', 'waiting') or d.partition = at.partition and d.position > at.position)
  ) as with_dead_letters
