-- Timers that are due by the caller's clock ($1) and by this one: one that is ahead fires none. A time before the year 1, which a
-- driver cannot read, is returned as the first moment of that year.
select stream, name, greatest(due_at, '0001-01-01T00:00:00Z') as due_at, saga, key, correlation_id, version
from {schema}.timers
where due_at <= least($1, clock_timestamp()) and saga = any($2)
  and (due_at, stream, name) > (coalesce($3::timestamptz, '-infinity'), $4::text, $5::text)
order by timers.due_at, stream, name
limit $6
