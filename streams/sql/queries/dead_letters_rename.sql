-- Gives open dead letters to another subscription; resolved ones stay.
update {schema}.dead_letters set subscription = $2 where subscription = $1 and state in ('retrying', 'parked', 'waiting')
