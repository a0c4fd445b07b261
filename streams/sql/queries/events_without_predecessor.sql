-- Returns those of some events whose predecessor in their stream is not in the log below a position.
select stream, version from unnest($1::text[], $2::int[]) q(stream, version)
where not exists (
  select from {schema}.events e where e.stream = q.stream and e.version = q.version - 1 and e.position < $3)
