select subject from {schema}.subject_keys where subject = any($1::text[]) and wrapped is not null
