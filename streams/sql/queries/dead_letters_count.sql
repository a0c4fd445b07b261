-- How many events wait to be dealt with; records that are no events hold nothing up.
select count(*) from {schema}.dead_letters
where subscription = $1 and position is not null and state in ('retrying', 'parked', 'waiting')
