-- Counts, by type, the events above a position and up to another whose data hold a text.
select type, count(*) as events, min(position) as first, max(position) as last, min(recorded_at) as since, max(recorded_at) as until
from {schema}.events where position > $1 and position <= $2 and strpos(data::text, $3) > 0
group by type order by type
