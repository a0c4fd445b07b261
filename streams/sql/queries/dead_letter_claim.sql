-- Claims a dead letter that is due: for $3 seconds it is due for no other process. A time beyond the longest pause ($4) was set by a
-- clock that was ahead.
update {schema}.dead_letters set state = 'retrying', deaths = $2, due_at = clock_timestamp() + $3 * interval '1 second'
where id = $1 and (state = 'waiting'
  or (state = 'retrying' and due_at not between clock_timestamp() and clock_timestamp() + $4 * interval '1 second'))
returning id
