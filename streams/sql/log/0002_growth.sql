-- Events are in tables by position, receipts in tables by time. Each table is created before it is needed. Nothing slows with
-- age, and expired receipts are dropped a table at a time.

-- Makes the next table of events. Attached rather than made in place: that locks out neither readers nor the writer.
create function {schema}.add_events_table() returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  lower bigint; upper bigint; name text;
begin
  update {schema}.head set events_up_to = head.events_up_to + head.events_a_table
    returning head.events_up_to - head.events_a_table, head.events_up_to into lower, upper;
  name := 'events_from_' || lower;
  execute format('create table {schema}.%I (like {schema}.events including all)', name);
  execute format('alter table {schema}.%I add primary key (position), add unique (stream, version)', name);
  -- Ids (UUIDv7) grow with the log: block ranges find them, at next to no cost for the append.
  execute format('create index on {schema}.%I using brin (id) with (pages_per_range = 32, autosummarize = on)', name);
  execute format('alter table {schema}.events attach partition {schema}.%I for values from (%s) to (%s)', name, lower, upper);
  execute format('grant select on {schema}.%I to caudal_writer, caudal_projector, caudal_reader', name);
end $$;

-- Makes the tables of receipts for the week of a time and for the week of the day after, unless they exist. They are looked for
-- by name, and the time may be earlier than that of the newest table: a clock that was ahead leaves tables of its future.
create function {schema}.cover_receipts(at timestamptz) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
  first timestamptz := date_trunc('week', at);
  lower timestamptz := first;
  upper timestamptz;
  name text;
begin
  while lower <= at + interval '1 day' loop
    upper := lower + interval '7 days';
    name := 'receipts_from_' || to_char(lower, 'YYYYMMDD');
    if to_regclass(format('{schema}.%I', name)) is null then
      execute format('create table {schema}.%I (like {schema}.receipts including all)', name);
      execute format('alter table {schema}.%I add primary key (command_id)', name);
      execute format('alter table {schema}.receipts attach partition {schema}.%I for values from (%L) to (%L)', name, lower, upper);
      execute format('grant select on {schema}.%I to caudal_writer, caudal_projector, caudal_reader', name);
    end if;
    lower := upper;
  end loop;
  update {schema}.head set receipts_from = first, receipts_up_to = upper;
end $$;

-- Drops the tables whose every receipt is older than `keep`, and returns their names. The commands that were handled by now may
-- lack a receipt afterwards, which is noted by offsets. So that a clock that is ahead costs no
-- receipt, age is measured at the log's newest event, and one table more than `keep` spans must be newer and hold receipts.
-- Fails at once if a long read blocks the drop: appends must not wait behind it.
create function {schema}.purge_receipts(keep interval) returns setof text
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' set lock_timeout = '100ms' as $$
declare
  name text; upper timestamptz; is_used boolean;
  newest timestamptz := (select least(recorded_at, clock_timestamp()) from {schema}.head);
  newer int := 0;
  wanted int := 1 + ceil(extract(epoch from greatest(keep, interval '1 day')) / extract(epoch from interval '7 days'));
begin
  for name, upper in
    select c.relname, to_timestamp(right(c.relname, 8), 'YYYYMMDD') + interval '7 days'
    from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = '{schema}.receipts'::regclass
    order by 1 desc
  loop
    execute format('select exists (select from {schema}.%I)', name) into is_used;
    if upper < newest - greatest(keep, interval '1 day') and (newer >= wanted or not is_used) then
      execute format('drop table {schema}.%I', name);
      if is_used then
        update {schema}.handled_commands set expired_up_to = up_to, expired_record = record;
      end if;
      return next name;
    end if;
    newer := newer + is_used::int;
  end loop;
end $$;

select {schema}.add_events_table();
select {schema}.cover_receipts(clock_timestamp());
