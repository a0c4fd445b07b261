-- Announces that a process could relay this log, and returns how many other processes could.
with gone as (
  delete from {schema}.relays
  where clock_timestamp() not between renewed_at - lease and renewed_at + lease and owner <> $1
), here as (
  insert into {schema}.relays values ($1, clock_timestamp(), make_interval(secs => $2))
  on conflict (owner) do update set renewed_at = excluded.renewed_at, lease = excluded.lease
)
select count(*) from {schema}.relays
where clock_timestamp() between renewed_at - lease and renewed_at + lease and owner <> $1
