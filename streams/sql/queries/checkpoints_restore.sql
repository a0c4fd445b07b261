-- Puts a subscription where another one stands; whoever runs it goes on from there.
update {schema}.checkpoints c set position = o.position, resets = c.resets + 1
from {schema}.checkpoints o
where c.subscription = $1 and o.subscription = $2 and o.source = c.source and o.partition = c.partition
