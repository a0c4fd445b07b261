update {schema}.checkpoints c set position = n.position
from unnest($2::text[], $3::int[], $4::bigint[]) n(source, partition, position)
where c.subscription = $1 and c.source = n.source and c.partition = n.partition
