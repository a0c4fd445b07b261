delete from {schema}.dead_letters where subscription = $1 and state in ('retrying', 'parked', 'waiting')
