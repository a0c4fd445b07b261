-- Streams whose first open dead letter is tried now: its pause is over, or the one that it waited behind is gone. A time beyond
-- the longest pause ($2) was set by a clock that was ahead.
select source, partition, stream from (
  select distinct on (source, stream) source, partition, stream, state, due_at from {schema}.dead_letters
  where subscription = $1 and position is not null and state in ('retrying', 'parked', 'waiting')
  order by source, stream, position
) first
where state = 'waiting'
  or (state = 'retrying' and due_at not between clock_timestamp() and clock_timestamp() + $2 * interval '1 second') limit 100
