-- Locks checkpoints: of two workers on one partition, the second sees what the first has done. Whatever else is to be seen must be
-- asked for afterwards: beside a row that was waited for, this statement still sees what was there when it began.
select source, partition, position, generation
from {schema}.checkpoints
where subscription = $1 and (source, partition) in (select * from unnest($2::text[], $3::int[]))
order by source, partition for update
