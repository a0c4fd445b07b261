select position, stream, version, id, type, schema_version, partition, previous, recorded_at, data, metadata
from {schema}.events where partition = $1 and position > $2 and position <= $3 order by position limit $4
