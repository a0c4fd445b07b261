-- Makes those due that are the first of their streams; the others follow them.
update {schema}.dead_letters d set state = 'retrying', attempts = 0, due_at = clock_timestamp()
where id = any($1) and state in ('parked', 'retrying') and position is not null
  and position = (select min(position) from {schema}.dead_letters o
    where o.subscription = d.subscription and o.source = d.source and o.stream = d.stream
      and o.state in ('retrying', 'parked', 'waiting'))
returning id
