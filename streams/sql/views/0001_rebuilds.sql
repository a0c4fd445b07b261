-- Versions of views: one that is built beside the live one, and the one that was live before.
create table {schema}.rebuilds (
  view text primary key,
  generation int not null default 0,  -- how many versions have been begun: part of their tables' names
  building text,
  building_decided text,              -- a digest of what operators had decided of dead letters when it was begun
  previous text,
  previous_decided text,              -- and when the two changed places
  previous_differs bigint,            -- in how many rows the two differed then; null where their shapes do
  switched_at timestamptz
);

create function {schema}.rename_version(was text, becomes text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  execute format('alter table {schema}.%I rename to %I', was, becomes);
end $$;

create function {schema}.drop_version(name text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  execute format('drop table if exists {schema}.%I', name);
end $$;

-- Notes from which definition a table was made: by that a view's shape is recognised.
create function {schema}.note_definition(name text, definition text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  execute format('comment on table {schema}.%I is %L', name, definition);
end $$;
