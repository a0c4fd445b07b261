insert into {schema}.snapshots as s (stream, version, state_schema, state) values ($1, $2, $3, $4)
on conflict (stream) do update
  set version = excluded.version, state_schema = excluded.state_schema, state = excluded.state, taken_at = excluded.taken_at
  where s.version <= excluded.version or s.state_schema <> excluded.state_schema
