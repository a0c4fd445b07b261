-- Starts a new generation: processes that remember the checkpoints read them again, although the positions stay.
update {schema}.checkpoints set generation = generation + 1 where subscription = $1
