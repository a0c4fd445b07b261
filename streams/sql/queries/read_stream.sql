select position, stream, version, id, type, schema_version, partition, previous, recorded_at, data, metadata
from {schema}.events where stream = $1 and version > $2 order by version limit $3
