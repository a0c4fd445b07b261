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
end $$;

create function {schema}.drop_version(name text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  execute format('drop table if exists {schema}.%I', name);
end $$;

-- Keeps the definition from which a table was made as its comment: by that the shape of a view is recognised.
create function {schema}.define_version(name text, definition text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  execute format('comment on table {schema}.%I is %L', name, definition);
end $$;
