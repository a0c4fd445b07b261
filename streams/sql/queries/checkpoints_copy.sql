insert into {schema}.checkpoints (subscription, source, partition, position)
select $2, source, partition, position from {schema}.checkpoints where subscription = $1
