select position, stream, version, id, type, schema_version, partition, previous, recorded_at, data, metadata
from {schema}.events where position = any($1::bigint[]) order by position
