insert into {schema}.dead_letters
  (subscription, source, partition, origin, position, stream, type, state, error, attempts, due_at, key, value,
   header_names, header_values)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, clock_timestamp() + $11 * interval '1 second', $12, $13, $14, $15)
on conflict do nothing
