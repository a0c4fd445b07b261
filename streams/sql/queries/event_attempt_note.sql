insert into {schema}.event_attempts (subscription, source, partition, first, up_to, times) values ($1, $2, $3, $4, $5, $6)
on conflict (subscription, source, partition) do update
  set first = excluded.first, up_to = excluded.up_to, times = excluded.times
