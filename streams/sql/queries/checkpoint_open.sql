insert into {schema}.checkpoints values ($1, $2, $3, 0) on conflict do nothing
