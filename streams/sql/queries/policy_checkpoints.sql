select policy, partition, position from {schema}.policy_checkpoints order by policy, partition
