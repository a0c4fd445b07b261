-- Locks checkpoints: of two workers on one partition, the second sees what the first has done. Everything else must be read
-- afterwards: beside a row that it waited for, this statement still sees the state of the time when it began.
select source, partition, position, generation
from {schema}.checkpoints
where subscription = $1 and (source, partition) in (select * from unnest($2::text[], $3::int[]))
order by source, partition for update
