-- Timers that are due by the caller's clock ($1) and by this one: one that is ahead fires none.
select stream, name, due_at, saga, key, correlation_id, version
from {schema}.timers
where due_at <= least($1, clock_timestamp()) and saga = any($2)
  and (due_at, stream, name) > (coalesce($3::timestamptz, '-infinity'), $4::text, $5::text)
order by due_at, stream, name
limit $6
