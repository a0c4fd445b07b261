-- Makes the next dead letter of a stream due: the one that it waited behind is gone.
update {schema}.dead_letters set state = 'retrying', due_at = clock_timestamp()
where state = 'waiting' and id = (select id from {schema}.dead_letters
  where subscription = $1 and source = $2 and stream = $3 and state in ('retrying', 'parked', 'waiting')
  order by position limit 1)
