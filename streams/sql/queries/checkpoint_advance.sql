-- Moves a checkpoint forward, never back, and not if it was reset meanwhile.
insert into {schema}.checkpoints as c (subscription, source, partition, position) values ($1, $2, $3, $4)
on conflict (subscription, source, partition) do update set position = excluded.position
  where c.position < excluded.position and c.generation = $5
