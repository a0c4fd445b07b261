-- Locks the checkpoint: of two workers on one partition, the second sees what the first has done.
select position from {schema}.checkpoints where projection = $1 and source = $2 and partition = $3 for update
