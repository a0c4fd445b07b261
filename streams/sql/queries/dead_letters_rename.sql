-- Hands over what is open; what operators have decided stays where it is.
update {schema}.dead_letters set subscription = $2 where subscription = $1 and state in ('retrying', 'parked', 'waiting')
