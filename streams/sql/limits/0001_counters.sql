-- The number of requests of each caller to each route in the current window. Unlogged: a crash may lose the counts.
create unlogged table {schema}.counters (
  key text collate "C" primary key,
  count bigint not null,
  expires_at timestamptz not null
) with (fillfactor = 50);
create index on {schema}.counters (expires_at);
