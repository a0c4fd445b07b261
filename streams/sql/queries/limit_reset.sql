delete from {schema}.counters where key = $1
