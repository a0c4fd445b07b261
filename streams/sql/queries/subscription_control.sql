-- Whether operators have paused or reset a subscription, whether it has dead letters to try or to publish, and the events that
-- it follows by context, as a JSON object; null if they were not recorded.
select
  exists (select from {schema}.pauses where subscription = $1) as is_paused,
  coalesce((select sum(generation) from {schema}.checkpoints where subscription = $1), 0)::bigint as generation,
  (select count(*) from {schema}.dead_letters
   where subscription = $1 and state in ('retrying', 'parked', 'waiting')) as open_dead_letters,
  exists (select from {schema}.dead_letters where subscription = $1 and not published) as has_unpublished_dead_letters,
  (select json_object_agg(source, events)::text from {schema}.followed_events where subscription = $1) as followed
