-- The log of one bounded context. Rows of events are never updated or deleted; positions are dense and in commit order.
create table {schema}.head (
  id boolean primary key default true check (id),
  position bigint not null,
  hash bytea not null,
  recorded_at timestamptz not null,
  partition_heads bigint[] not null   -- position of the newest event in each partition of the topic; 0 for none
) with (fillfactor = 10);

create table {schema}.streams (
  stream text primary key,
  version int not null
) with (fillfactor = 70);

create table {schema}.events (
  position bigint primary key,
  stream text not null,
  version int not null,
  id uuid not null,
  type text not null,
  schema_version int not null,
  partition int not null,
  previous bigint not null,           -- position of the event before it in this partition of the topic; 0 for none
  recorded_at timestamptz not null,
  data json not null,
  metadata json not null,
  hash bytea not null,                -- SHA-256 over the predecessor's hash and every other column
  unique (stream, version)
);

create table {schema}.receipts (
  command_id uuid primary key,
  fingerprint bytea not null,
  stream text not null,
  version int not null,
  position bigint not null,
  partition int not null,
  events text[] not null,
  began_stream boolean not null,
  refusal text,
  refusal_kind text,
  recorded_at timestamptz not null
);

create table {schema}.relay (
  id boolean primary key default true check (id),
  position bigint not null,
  epoch bigint not null,              -- fencing token: grows with every change of owner
  owner text,
  expires_at timestamptz not null
) with (fillfactor = 10);

create table {schema}.policy_checkpoints (
  policy text not null,
  partition int not null,
  position bigint not null,
  primary key (policy, partition)
) with (fillfactor = 10);

insert into {schema}.head values (true, 0, '\x', '-infinity', array_fill(0::bigint, array[{partitions}]));
insert into {schema}.relay values (true, 0, 0, null, '-infinity');
