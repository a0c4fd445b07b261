-- Ends a claim, unless another process has claimed the dead letter meanwhile, or its attempt is recorded.
update {schema}.dead_letters set deaths = 0, due_at = clock_timestamp() where id = $1 and deaths = $2 and state = 'retrying'
