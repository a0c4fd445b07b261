select source, partition, position, generation from {schema}.checkpoints where subscription = $1 order by source, partition
