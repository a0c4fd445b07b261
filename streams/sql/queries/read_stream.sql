-- Reads only those tables of events that can hold the stream.
-- At most so many bytes as they are stored, which is read from the rows without the values themselves; at least one event.
select position, stream, version, id, type, schema_version, partition, previous, recorded_at, data, metadata from (
  select *, sum(pg_column_size(data)) over (order by version rows between unbounded preceding and 1 preceding) as bytes_before
  from (
    select position, stream, version, id, type, schema_version, partition, previous, recorded_at, data, metadata
    from {schema}.events where stream = $1 and version > $2
      and position between (select first_position from {schema}.streams where stream = $1)
        and (select last_position from {schema}.streams where stream = $1)
    order by version limit $3
  ) as found
) as measured
where coalesce(bytes_before, 0) < $4 order by version
