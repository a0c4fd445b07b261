-- At most so many bytes as they are stored, which is read from the rows without the values themselves; at least one event.
select position, stream, version, id, type, schema_version, partition, previous, recorded_at, data, metadata from (
  select *, sum(pg_column_size(data)) over (order by position rows between unbounded preceding and 1 preceding) as bytes_before
  from (
    select position, stream, version, id, type, schema_version, partition, previous, recorded_at, data, metadata
    from {schema}.events where partition = $1 and position > $2 and position <= $3 order by position limit $4
  ) as found
) as measured
where coalesce(bytes_before, 0) < $5 order by position
