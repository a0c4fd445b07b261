-- Locks checkpoints: of two workers on one partition, the second sees what the first has done. Read everything else in later
-- statements: this one sees the state from its start, except for the rows that it waited for.
select source, partition, position, generation
from {schema}.checkpoints
where subscription = $1 and (source, partition) in (select * from unnest($2::text[], $3::int[]))
order by source, partition for update
