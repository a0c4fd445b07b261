with removed as (
  delete from {schema}.known_commands where name <> all ($1::text[]) returning name
), changed as (
  insert into {schema}.known_commands as k (name, shape) select * from unnest($1::text[], $2::text[])
  on conflict (name) do update set shape = excluded.shape where k.shape is distinct from excluded.shape
  returning name
)
select name from removed union all select name from changed
