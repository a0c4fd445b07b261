update {schema}.checkpoints set position = $4 where projection = $1 and source = $2 and partition = $3
