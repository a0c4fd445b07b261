update {schema}.dead_letters
set state = case when $4 then 'retrying' else 'parked' end, error = $2, traceback = $3, attempts = attempts + 1, deaths = 0,
  due_at = clock_timestamp() + $5 * interval '1 second'
where id = $1
