-- Starts a new generation: processes that remember the checkpoints read them again, although the positions stay. What
-- they have noted about events is about the version before.
with noted as (delete from {schema}.attempts where subscription = $1)
update {schema}.checkpoints set generation = generation + 1 where subscription = $1
