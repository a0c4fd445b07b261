select source, partition, position from {schema}.checkpoints where subscription = $1 order by source, partition
