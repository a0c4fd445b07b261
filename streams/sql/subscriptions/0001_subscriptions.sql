-- Checkpoints and dead letters of subscriptions: those of a projection beside its view, those of a policy beside the log that it
-- follows.

create table {schema}.checkpoints (
  subscription text not null,
  source text not null,               -- the context of the events
  partition int not null,
  position bigint not null,           -- of the last event that was handled
  generation int not null default 0,  -- how often it was reset, or its view replaced
  primary key (subscription, source, partition)
) with (fillfactor = 10);

-- Fails the statement that calls it unless a condition holds.
create function {schema}.require(condition boolean) returns void language plpgsql as $$
begin
  if not condition then
    raise exception 'a row or a checkpoint has changed since it was read' using errcode = 'serialization_failure';
  end if;
end $$;

-- The events that a subscription follows in the version that migrated the database last: each as Type@schema_version.
create table {schema}.followed_events (
  subscription text not null,
  source text not null,               -- the context of the events
  events text[] not null,             -- sorted
  primary key (subscription, source)
);

create table {schema}.pauses (
  subscription text primary key,
  paused_at timestamptz not null default clock_timestamp()
);

create table {schema}.dead_letters (
  id bigint generated always as identity primary key,
  subscription text not null,
  source text not null,
  partition int not null,
  origin text not null,               -- topic/partition@offset, or log@position
  position bigint,                    -- null for a foreign record: no event waits behind it
  stream text collate "C",
  type text,
  -- retrying: tried again at due_at; parked: waits for an operator; waiting: behind another of its stream;
  -- skipped: left out for good; repaired: applied with other data
  state text not null check (state in ('retrying', 'parked', 'waiting', 'skipped', 'repaired')),
  error text,
  traceback text,                     -- of the last attempt, without the values of variables
  attempts int not null,
  deaths int not null,                -- attempts to apply it that no process has survived, in a row
  parked_at timestamptz not null default clock_timestamp(),
  due_at timestamptz,
  key bytea,
  value bytea,
  header_names text[] not null,
  header_values bytea[] not null,
  edited text,                        -- JSON instead of the event's data
  published boolean not null default false,
  unique (subscription, source, position),
  unique (subscription, origin)
);
create index on {schema}.dead_letters (subscription, source, stream, position) where state in ('retrying', 'parked', 'waiting');
create index on {schema}.dead_letters (id) where not published;

-- The events that a process handles first in a partition after its start: processes that die of them leave a note. Beside a log,
-- those of its commands topic too, with offsets for positions.
create table {schema}.attempts (
  subscription text not null,         -- or 'commands'
  source text not null,               -- the context of the events or commands
  partition int not null,
  first bigint not null,              -- position of the first one in flight
  up_to bigint not null,              -- position of the last one in flight when the first process died
  times int not null,                 -- processes that have begun with the first event alone: 0 for a batch
  primary key (subscription, source, partition)
) with (fillfactor = 10);
