-- The log of one bounded context. Rows of events are never updated or deleted; positions are dense and in commit order.
create table {schema}.head (
  id boolean primary key default true check (id),
  position bigint not null,
  hash bytea not null,
  recorded_at timestamptz not null,
  partition_heads bigint[] not null,  -- position of the newest event in each partition of the topic; 0 for none
  events_up_to bigint not null,        -- the tables of events hold positions below this one
  events_a_table bigint not null,     -- how many positions the next one will hold
  receipts_from timestamptz not null, -- the tables of receipts hold those from this time
  receipts_up_to timestamptz not null -- and before this one
) with (fillfactor = 10);

create table {schema}.streams (
  stream text collate "C" primary key check (strpos(stream, E'\n') = 0 and octet_length(stream) <= 1000),
  version int not null,
  first_position bigint not null,     -- a reader of the stream looks into those tables of events that can hold it
  last_position bigint not null
) with (fillfactor = 70);

create table {schema}.events (
  position bigint not null,
  stream text collate "C" not null,   -- compared byte by byte: a third faster than by a language's rules, and never reordered
  version int not null,
  id uuid not null,
  type text not null check (strpos(type, E'\n') = 0),
  schema_version int not null,
  partition int not null,
  previous bigint not null,           -- position of the event before it in this partition of the topic; 0 for none
  recorded_at timestamptz not null,
  data json not null,
  metadata json not null,
  hash bytea not null                 -- the chain: see 0003_append
) partition by range (position);

create table {schema}.receipts (
  command_id uuid not null,
  fingerprint bytea not null,
  stream text not null,
  version int not null,
  position bigint not null,
  partition int not null,
  events text[] not null,
  began_stream boolean not null,
  rejection json,                       -- kind, detail and correlation_id of the first answer if it was a rejection
  recorded_at timestamptz not null
) partition by range (recorded_at);

create table {schema}.snapshots (
  stream text collate "C" primary key,
  version int not null,
  state_schema text not null,
  state text not null,
  taken_at timestamptz not null default clock_timestamp()
);

-- The due timers of sagas: changed in the transaction that appends the step.
create table {schema}.timers (
  stream text collate "C" not null,
  name text not null,
  due_at timestamptz not null,
  saga text not null,                 -- full name of the saga's definition
  key text not null,
  correlation_id text not null,
  version int not null,               -- of the stream, after the step that set the timer
  primary key (stream, name)
);
create index on {schema}.timers (due_at, stream, name);

create table {schema}.signed_heads (
  position bigint not null,
  hash bytea not null,
  timeline int not null,
  signed_at timestamptz not null,
  key text not null,                  -- SHA-256 of the public key, in hexadecimal
  signature bytea not null,
  primary key (position, signature)
);

create table {schema}.relay (
  id boolean primary key default true check (id),
  position bigint not null,
  epoch bigint not null,              -- fencing token: grows with every change of owner
  owner text,
  renewed_at timestamptz not null,    -- held while the clock is less than one lease away from it, in either direction: a
  lease interval not null,            -- clock that was ahead and is set right ends a lease, and never makes it last
  problem text                        -- which partitions the owner cannot publish, and why
) with (fillfactor = 10);

-- How far the commands topic has been handled, by offsets; and how far it had been when receipts were dropped last.
create table {schema}.handled_commands (
  partition int primary key,
  up_to bigint not null,
  record bytea not null,              -- digest of the record at that offset, by which a topic that was created anew is recognised
  expired_up_to bigint,               -- a command up to here that has no receipt may have been handled; null for none
  expired_record bytea
) with (fillfactor = 10);

-- The commands of this context that the version which migrated the database last knows; of the sagas' context, the sagas too.
create table {schema}.known_commands (
  name text collate "C" primary key,
  shape text not null                 -- digest of the JSON Schema of a command, or of the inputs of a saga
);

create table {schema}.relays (
  owner text primary key,             -- a process that could relay this log
  renewed_at timestamptz not null,
  lease interval not null
);

-- The timelines after the first: each began when the log went back behind what was published.
create table {schema}.timelines (
  number int primary key,
  began_after bigint not null,        -- the last position that it shares with the timelines before it
  lost_up_to bigint not null,         -- the highest position of an event that was published and is lost
  found_at timestamptz not null default clock_timestamp(),
  accepted_at timestamptz             -- null: the log is not published until an operator has accepted the loss
);

insert into {schema}.head
  values (true, 0, '\x', clock_timestamp(), array_fill(0::bigint, array[{partitions}]), 1, {events_a_table}, 'infinity', '-infinity');
insert into {schema}.relay values (true, 0, 0, null, '-infinity', '0', null);
