-- Streams whose first open dead letter is tried now: its pause is over, or the one that it waited behind is gone.
select source, partition, stream from (
  select distinct on (source, stream) source, partition, stream, state, due_at from {schema}.dead_letters
  where subscription = $1 and position is not null and state in ('retrying', 'parked', 'waiting')
  order by source, stream, position
) first
where state = 'waiting' or (state = 'retrying' and due_at <= clock_timestamp()) limit 100
