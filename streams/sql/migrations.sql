create schema if not exists {schema};
create table if not exists {schema}.migrations (name text primary key, applied_at timestamptz not null default now());
