select position, generation from {schema}.checkpoints where subscription = $1 and source = $2 and partition = $3
