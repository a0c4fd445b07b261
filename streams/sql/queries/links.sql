-- At most so many bytes as they are stored, which is read from the rows without the values themselves; at least one event.
select position, stream, version, id, type, schema_version, partition, previous, recorded_at, data, metadata, hash from (
  select *, sum(pg_column_size(data)) over (order by position rows between unbounded preceding and 1 preceding) as bytes_before
  from (
    select position, stream, version, id, type, schema_version, partition, previous, recorded_at, data, metadata, hash
    from {schema}.events where position > $1 order by position limit $2
  ) as found
) as measured
where coalesce(bytes_before, 0) < $3 order by position
