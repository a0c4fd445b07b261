-- Streams whose first open dead letter is to be tried now: its pause is over, or what it waited behind is gone.
select source, partition, stream from (
  select distinct on (source, stream) source, partition, stream, state, due_at from {schema}.dead_letters
  where subscription = $1 and position is not null and state in ('retrying', 'parked', 'waiting')
  order by source, stream, position
) first
where state = 'waiting' or (state = 'retrying' and due_at <= clock_timestamp()) limit 100
