insert into {schema}.subject_keys (subject, wrapped, master) values ($1, $2, $3) on conflict do nothing
