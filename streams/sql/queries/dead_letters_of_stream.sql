select * from {schema}.dead_letters
where subscription = $1 and source = $2 and stream = $3 and state in ('retrying', 'parked', 'waiting')
order by position for update
