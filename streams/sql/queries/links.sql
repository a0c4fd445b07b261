select position, stream, version, id, type, schema_version, partition, previous, recorded_at, data, metadata, hash
from {schema}.events where position > $1 order by position limit $2
