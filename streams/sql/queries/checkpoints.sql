select projection, source, partition, position from {schema}.checkpoints order by projection, source, partition
