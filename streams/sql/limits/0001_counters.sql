-- How often each caller has asked for each route, within the current window. Not worth a line in the write-ahead log.
create unlogged table {schema}.counters (
  key text collate "C" primary key,
  count bigint not null,
  expires_at timestamptz not null
) with (fillfactor = 50);
create index on {schema}.counters (expires_at);

revoke all on all tables in schema {schema} from public;
grant usage on schema {schema} to caudal_writer, caudal_reader;
grant select, insert, update, delete on {schema}.counters to caudal_writer, caudal_reader;
