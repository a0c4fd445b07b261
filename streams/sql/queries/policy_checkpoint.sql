select position from {schema}.policy_checkpoints where policy = $1 and partition = $2
