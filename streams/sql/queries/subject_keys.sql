select subject, wrapped, master from {schema}.subject_keys where subject = any($1::text[])
