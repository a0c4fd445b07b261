insert into {schema}.attempts (subscription, source, partition, first, up_to, times)
select $1, * from unnest($2::text[], $3::int[], $4::bigint[], $5::bigint[], $6::int[])
on conflict (subscription, source, partition) do update
  set first = excluded.first, up_to = excluded.up_to, times = excluded.times
