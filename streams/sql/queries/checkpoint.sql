select position from {schema}.checkpoints where projection = $1 and source = $2 and partition = $3
