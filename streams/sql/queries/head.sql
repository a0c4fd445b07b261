select position, partition_heads from {schema}.head
