-- Parks a record. One that is parked already stays as it is; an event that was repaired, and now fails with its edited data, is
-- open again. A foreign record has no position and is known by its origin.
insert into {schema}.dead_letters
  (subscription, source, partition, origin, position, stream, type, state, error, traceback, attempts, due_at, key, value,
   header_names, header_values, deaths)
select $1, $2, $3, $4, $5::bigint, $6, $7, $8, $9, $10, $11, clock_timestamp() + $12 * interval '1 second', $13, $14, $15, $16, $17
where $5::bigint is not null or not exists (select from {schema}.dead_letters where subscription = $1 and origin = $4)
on conflict (subscription, source, position) do update
  set state = excluded.state, error = excluded.error, traceback = excluded.traceback, attempts = excluded.attempts,
    due_at = excluded.due_at, deaths = excluded.deaths, published = false
  where dead_letters.state = 'repaired'
