-- Sets checkpoints to any position and starts a new generation. What processes have noted about
-- events of the context is no longer true.
with noted as (delete from {schema}.attempts where subscription = $1 and source = $2)
insert into {schema}.checkpoints as c (subscription, source, partition, position, generation)
select $1, $2, partition, position, 1 from unnest($3::int[], $4::bigint[]) n(partition, position)
on conflict (subscription, source, partition) do update set position = excluded.position, generation = c.generation + 1
