-- Where subscriptions stand, and what they could not deal with: projections beside their views, policies beside the log that
-- they follow.

create table {schema}.checkpoints (
  subscription text not null,
  source text not null,               -- the context whose events they are
  partition int not null,
  position bigint not null,
  generation int not null default 0,      -- how often an operator has put it elsewhere
  primary key (subscription, source, partition)
) with (fillfactor = 10);

-- Undoes the statement that calls it, unless something holds.
create function {schema}.insist(holds boolean) returns void language plpgsql as $$
begin
  if not holds then
    raise exception 'a row or a checkpoint is not as it was read' using errcode = 'serialization_failure';
  end if;
end $$;

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
  position bigint,                    -- null for a record that is no event of the log's: nobody waits behind it
  stream text collate "C",
  type text,
  -- retrying: tried again at due_at; parked: waits for an operator; waiting: behind another of its stream;
  -- skipped: left out for good; mended: applied with other data
  state text not null check (state in ('retrying', 'parked', 'waiting', 'skipped', 'mended')),
  error text,
  attempts int not null,
  parked_at timestamptz not null default clock_timestamp(),
  due_at timestamptz,
  key bytea,
  value bytea,
  header_names text[] not null,
  header_values bytea[] not null,
  edited text,                        -- JSON in the place of the event's data
  published boolean not null default false,
  unique (subscription, source, position),
  unique (subscription, origin)
);
create index on {schema}.dead_letters (subscription, source, stream, position) where state in ('retrying', 'parked', 'waiting');
create index on {schema}.dead_letters (id) where not published;
