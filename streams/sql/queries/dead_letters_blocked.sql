select distinct stream from {schema}.dead_letters
where subscription = $1 and source = $2 and state in ('retrying', 'parked', 'waiting') and stream = any($3)
