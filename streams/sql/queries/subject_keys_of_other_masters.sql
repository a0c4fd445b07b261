select subject, wrapped, master from {schema}.subject_keys where master <> $1 order by subject limit $2
