delete from {schema}.attempts
where subscription = $1 and (source, partition) in (select * from unnest($2::text[], $3::int[]))
