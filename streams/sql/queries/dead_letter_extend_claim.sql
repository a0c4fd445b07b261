-- Extends a claim; a process that has claimed the dead letter meanwhile has noted another number of deaths.
update {schema}.dead_letters set due_at = clock_timestamp() + $3 * interval '1 second'
where id = $1 and deaths = $2 and state = 'retrying'
