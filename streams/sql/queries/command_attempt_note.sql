insert into {schema}.command_attempts (partition, first_offset, attempts) values ($1, $2, $3)
on conflict (partition) do update set first_offset = excluded.first_offset, attempts = excluded.attempts
