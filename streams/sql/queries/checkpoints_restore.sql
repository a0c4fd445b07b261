-- Sets a subscription's checkpoints to those of another one, 0 where that one has none, and starts a new generation. What processes
-- have noted about its events is no longer true.
with noted as (delete from {schema}.attempts where subscription = $1)
update {schema}.checkpoints c set generation = c.generation + 1, position = coalesce(
  (select o.position from {schema}.checkpoints o
   where o.subscription = $2 and o.source = c.source and o.partition = c.partition), 0)
where c.subscription = $1
