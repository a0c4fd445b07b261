with gone as (
  delete from {schema}.counters where key in (
    select key from {schema}.counters where expires_at < clock_timestamp() and key <> $1 order by expires_at limit 10
    for update skip locked
  )
)
insert into {schema}.counters as counter (key, count, expires_at)
values ($1, $2, clock_timestamp() + make_interval(secs => $3))
on conflict (key) do update set
  count = case when counter.expires_at < clock_timestamp() then 0 else counter.count end + $2,
  expires_at = case when counter.expires_at < clock_timestamp() then excluded.expires_at else counter.expires_at end
returning count, extract(epoch from expires_at)::float8 as expires_at
