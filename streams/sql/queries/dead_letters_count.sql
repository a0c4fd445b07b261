-- How many events are open, of one context if $2 names it. Foreign records are not counted: no event waits behind them.
select count(*) from {schema}.dead_letters
where subscription = $1 and source = coalesce($2, source) and position is not null
  and state in ('retrying', 'parked', 'waiting')
