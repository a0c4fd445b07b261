-- Whether the subscription is to rest, and the contexts in which something is open or, of events that come again, decided. Nobody
-- waits behind a record that is no event.
select
  exists (select from {schema}.pauses where subscription = $1) as is_paused,
  array(
    select distinct d.source
    from {schema}.dead_letters d
    join unnest($2::text[], $3::int[], $4::bigint[]) at (source, partition, position) on at.source = d.source
    where d.subscription = $1 and d.position is not null
      and (d.state in ('retrying', 'parked', 'waiting') or d.partition = at.partition and d.position > at.position)
  ) as with_dead_letters
