-- How far a log is: its end, what a relay has published of it, and whether it went back without an operator's consent.
select
  head.position as head,
  relay.position as relayed,
  case when relay.owner is not null
    and clock_timestamp() between relay.renewed_at - relay.lease and relay.renewed_at + relay.lease then relay.owner end as owner,
  relay.problem,
  (select recorded_at from {schema}.events where position = head.position) as last_event_at,
  coalesce((select accepted_at is null from {schema}.timelines order by number desc limit 1), false) as went_back
from {schema}.head, {schema}.relay
