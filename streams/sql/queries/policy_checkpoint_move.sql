insert into {schema}.policy_checkpoints as c (policy, partition, position) values ($1, $2, $3)
on conflict (policy, partition) do update set position = greatest(c.position, excluded.position)
