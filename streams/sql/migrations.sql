create schema if not exists {schema};
create table if not exists {schema}.migrations (name text primary key, applied_at timestamptz not null default now());
grant usage on schema {schema} to caudal_writer, caudal_projector, caudal_reader;
grant select on {schema}.migrations to caudal_writer, caudal_projector, caudal_reader;
