insert into {schema}.dead_letters
  (subscription, source, partition, origin, position, stream, type, state, error, traceback, attempts, due_at, key, value,
   header_names, header_values)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, clock_timestamp() + $12 * interval '1 second', $13, $14, $15, $16)
on conflict do nothing
