-- Deletes a subscription's checkpoints, and what processes have noted about events beyond them.
with noted as (delete from {schema}.attempts where subscription = $1)
delete from {schema}.checkpoints where subscription = $1
