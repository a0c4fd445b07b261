update {schema}.checkpoints set subscription = $2 where subscription = $1
