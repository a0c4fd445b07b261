select count(*) from {schema}.subject_keys where master <> $1
