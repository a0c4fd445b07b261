-- Whether operators have paused or reset a subscription, and whether it has dead letters to try or to publish.
select
  exists (select from {schema}.pauses where subscription = $1) as is_paused,
  coalesce((select sum(generation) from {schema}.checkpoints where subscription = $1), 0)::bigint as generation,
  (select count(*) from {schema}.dead_letters
   where subscription = $1 and state in ('retrying', 'parked', 'waiting')) as open_dead_letters,
  exists (select from {schema}.dead_letters where subscription = $1 and not published) as has_unpublished_dead_letters
