-- At most so many bytes as they are stored, which is read from the rows without the values themselves; at least one event.
select position, stream, version, id, type, schema_version, partition, previous, recorded_at, data, metadata from (
  select *, sum(pg_column_size(data)) over (order by position rows between unbounded preceding and 1 preceding) as bytes_before
  from (
    select position, stream, version, id, type, schema_version, partition, previous, recorded_at, data, metadata
    from {schema}.events
    where position > $1 and position <= $2
      and ($3::text is null or stream = $3) and ($4::text[] is null or type = any($4))
      and ($5::text is null or metadata->>'correlation_id' = $5)
    order by position limit $6
  ) as found
) as measured
where coalesce(bytes_before, 0) < $7 order by position
