with gone as (
  delete from {schema}.counters where key in (
    select key from {schema}.counters where expires_at < clock_timestamp() and key <> $1 order by expires_at limit 10
    for update skip locked
  )
)
insert into {schema}.counters as counter (key, count, expires_at)
values ($1, $2, clock_timestamp() + make_interval(secs => $3))
on conflict (key) do update set
  count = $2 + case
    when counter.expires_at between clock_timestamp() and clock_timestamp() + make_interval(secs => $3) then counter.count else 0
  end,
  expires_at = case
    when counter.expires_at between clock_timestamp() and clock_timestamp() + make_interval(secs => $3) and counter.count >= $4
      then counter.expires_at
    else clock_timestamp() + make_interval(secs => $3)
  end
returning count, extract(epoch from expires_at - clock_timestamp())::float8 as seconds
