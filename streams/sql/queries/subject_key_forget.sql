insert into {schema}.subject_keys (subject, forgotten_at) values ($1, clock_timestamp())
on conflict (subject) do update set wrapped = null, master = null, forgotten_at = clock_timestamp()
where subject_keys.forgotten_at is null
