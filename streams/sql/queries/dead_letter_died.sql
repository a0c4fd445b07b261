update {schema}.dead_letters
set state = 'parked', error = $2, traceback = null, attempts = attempts + 1, deaths = $3
where id = $1
