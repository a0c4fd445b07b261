insert into {schema}.checkpoints (subscription, source, partition, position)
select $1, source, partition, 0 from unnest($2::text[], $3::int[]) n(source, partition) order by source, partition
on conflict do nothing
