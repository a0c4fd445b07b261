-- How many events are open. Foreign records are not counted: no event waits behind them.
select count(*) from {schema}.dead_letters
where subscription = $1 and position is not null and state in ('retrying', 'parked', 'waiting')
