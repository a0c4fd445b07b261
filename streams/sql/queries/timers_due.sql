select stream, name, due_at, saga, key, correlation_id
from {schema}.timers
where due_at <= $1 and saga = any($2) and (due_at, stream, name) > (coalesce($3::timestamptz, '-infinity'), $4::text, $5::text)
order by due_at, stream, name
limit $6
