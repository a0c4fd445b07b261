-- Lets whoever has read the checkpoints of a subscription know that it is not what it was, though they stand where they stood.
update {schema}.checkpoints set generation = generation + 1 where subscription = $1
