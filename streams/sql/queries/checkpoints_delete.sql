delete from {schema}.checkpoints where subscription = $1
