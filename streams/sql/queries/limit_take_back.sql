update {schema}.counters set count = count - 1 where key = $1 and count > 0
