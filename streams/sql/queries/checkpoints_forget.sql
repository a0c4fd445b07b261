delete from {schema}.checkpoints where projection = $1
