select position, stream, version, id, type, schema_version, partition, previous, recorded_at, data, metadata
from {schema}.events
where position > $1 and position <= $2
  and ($3::text is null or stream = $3) and ($4::text[] is null or type = any($4))
  and ($5::text is null or metadata->>'correlation_id' = $5)
order by position limit $6
