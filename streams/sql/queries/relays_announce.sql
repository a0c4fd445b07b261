-- Announces that a process could relay this log, and returns how many other processes could.
with gone as (
  delete from {schema}.relays where expires_at <= clock_timestamp() and owner <> $1
), here as (
  insert into {schema}.relays values ($1, clock_timestamp() + $2 * interval '1 second')
  on conflict (owner) do update set expires_at = excluded.expires_at
)
select count(*) from {schema}.relays where expires_at > clock_timestamp() and owner <> $1
