select saga_id, process, about, timers, next_due, correlation_id
from {schema}.sagas
where next_due <= $1 and process = any($2) and (next_due, saga_id) > (coalesce($3::timestamptz, '-infinity'), $4)
order by next_due, saga_id
limit $5
