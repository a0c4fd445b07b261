-- Locks checkpoints: of two workers on one partition, the second sees what the first has done.
select source, partition, position from {schema}.checkpoints
where projection = $1 and (source, partition) in (select * from unnest($2::text[], $3::int[]))
order by source, partition for update
