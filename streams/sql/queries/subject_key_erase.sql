insert into {schema}.subject_keys (subject, erased_at) values ($1, clock_timestamp())
on conflict (subject) do update set wrapped = null, master = null, erased_at = clock_timestamp()
where subject_keys.erased_at is null
