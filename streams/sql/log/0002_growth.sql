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

-- Makes the table of receipts for the week of a time.
create function {schema}.add_receipts_table(at timestamptz) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' as $$
declare
  lower timestamptz := date_trunc('week', at);
  upper timestamptz := lower + interval '7 days';
  name text := 'receipts_from_' || to_char(lower, 'YYYYMMDD');
begin
  update {schema}.head set receipts_up_to = upper;
  execute format('create table {schema}.%I (like {schema}.receipts including all)', name);
  execute format('alter table {schema}.%I add primary key (command_id)', name);
  execute format('alter table {schema}.receipts attach partition {schema}.%I for values from (%L) to (%L)', name, lower, upper);
  execute format('grant select on {schema}.%I to caudal_writer, caudal_projector, caudal_reader', name);
end $$;

-- Drops the tables whose every receipt is older than `keep`, and returns their names. Fails at once if a long read
-- blocks the drop: appends must not wait behind it.
create function {schema}.purge_receipts(keep interval) returns setof text
language plpgsql security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' set lock_timeout = '100ms' as $$
declare
  name text;
begin
  for name in
    select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = '{schema}.receipts'::regclass
      and to_timestamp(right(c.relname, 8), 'YYYYMMDD') + interval '7 days'
        < clock_timestamp() - greatest(keep, interval '1 day')  -- never the week that is written to
    order by 1
  loop
    execute format('drop table {schema}.%I', name);
    return next name;
  end loop;
end $$;

select {schema}.add_events_table();
select {schema}.add_receipts_table(clock_timestamp());
