-- Reads only those tables of events that can hold the stream.
select position, stream, version, id, type, schema_version, partition, previous, recorded_at, data, metadata
from {schema}.events where stream = $1 and version > $2
  and position between (select first_position from {schema}.streams where stream = $1)
    and (select last_position from {schema}.streams where stream = $1)
order by version limit $3
