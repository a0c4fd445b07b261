-- How far a subscription is in one context, and what keeps it from going on. Foreign records are not counted as dead letters.
select
  (select json_object_agg(partition, position)::text from {schema}.checkpoints where subscription = $1 and source = $2) as positions,
  exists (select from {schema}.pauses where subscription = $1) as is_paused,
  (select count(*) from {schema}.dead_letters where subscription = $1 and source = $2 and position is not null
    and state in ('retrying', 'parked', 'waiting')) as dead_letters,
  (select count(*) from {schema}.dead_letters where subscription = $1 and position is not null
    and state in ('retrying', 'parked', 'waiting')) as of_all_contexts
