-- Versions of views: one that is being built beside the live one, and the one that was live before.
create table {schema}.rebuilds (
  view text primary key,
  generation int not null default 0,  -- how many versions were started: part of the names of their tables
  building text,                      -- table of the candidate version
  building_resolutions text,          -- a digest of how operators had resolved dead letters when it was started
  previous text,                      -- table of the version that was live before
  previous_resolutions text,          -- the digest when the two changed places
  previous_differs bigint,            -- in how many rows the two differed then; null if their shapes differ
  switched_at timestamptz
);

create function {schema}.rename_version(old_name text, new_name text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  execute format('alter table {schema}.%I rename to %I', old_name, new_name);
  update {schema}.definitions set name = new_name where name = old_name;
end $$;

create function {schema}.drop_version(name text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  execute format('drop table if exists {schema}.%I', drop_version.name);
  delete from {schema}.definitions d where d.name = drop_version.name;
end $$;

-- The definitions from which the tables of views were made: by them the shape of a view is recognised.
create table {schema}.definitions (
  name text primary key,
  definition text not null
);

-- Keeps the definition from which a table was made.
create function {schema}.define_version(name text, definition text) returns void
language sql set search_path = pg_catalog, pg_temp as $$
  insert into {schema}.definitions values ($1, $2) on conflict (name) do update set definition = excluded.definition
$$;
