-- Puts a subscription where another one stands, and at the beginning of what that one has not begun; whoever runs it goes on
-- from there.
update {schema}.checkpoints c set generation = c.generation + 1, position = coalesce(
  (select o.position from {schema}.checkpoints o
   where o.subscription = $2 and o.source = c.source and o.partition = c.partition), 0)
where c.subscription = $1
