update {schema}.dead_letters
set state = case when $3 then 'retrying' else 'parked' end, error = $2, attempts = attempts + 1,
  due_at = clock_timestamp() + $4 * interval '1 second'
where id = $1
