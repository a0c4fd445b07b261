-- Appends a batch of commands in one round trip, each all or none, and answers each.
--
-- A command is a run of write_counts[c] writes; a write is one stream at an expected version with a run of
-- event_counts[w] events, none meaning that the stream is only checked. An expected version is a number, -1 for a stream
-- that must be there, -2 for any. timers lists what the commands set (with due_at) and cancel (without), each with the
-- command's number. outcome: 0 appended, 1 version conflict, 2 handled before, 3 command id used before for another
-- command. version and position are those of the command's first stream; the time of recording is that of the whole batch.
create function {schema}.append(
  command_ids uuid[], fingerprints bytea[], rejections json[], metadata json[], write_counts int[],
  write_streams int[], expected int[], event_counts int[],
  streams text[], partitions int[],
  event_ids uuid[], types text[], schema_versions int[], data json[], timers json
, out outcomes int[], out r_version int[], out r_position bigint[], out r_recorded_at timestamptz)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
declare
  p bigint; h bytea; heads bigint[]; at timestamptz; stamp bigint; events_up_to bigint; events_a_table bigint;
  receipts_from timestamptz; receipts_up_to timestamptz;
  commands constant int := cardinality(command_ids);
  versions int[]; was int[]; firsts bigint[]; lasts bigint[]; known bytea[];
  tainted boolean[] := array_fill(false, array[cardinality(streams)]);
  w int := 0; e int := 0; first_w int; first_e int; ok boolean; s int; k int; v int; before bigint;
  any_new boolean := false; any_known boolean := false;
  r_stream int[] := array_fill(0, array[commands]); r_first int[] := r_stream; r_last int[] := r_stream;
  r_began boolean[] := array_fill(false, array[commands]);
  e_position bigint[] := array_fill(null::bigint, array[cardinality(event_ids)]); e_previous bigint[] := e_position;
  e_stream int[] := array_fill(null::int, array[cardinality(event_ids)]); e_version int[] := e_stream; e_command int[] := e_stream;
  e_hash bytea[] := array_fill(null::bytea, array[cardinality(event_ids)]);
begin
  outcomes := r_stream; r_version := r_stream; r_position := array_fill(0::bigint, array[commands]);
  -- This row lock is held until commit: positions become visible in order and without gaps.
  select head.position, head.hash, head.partition_heads, head.recorded_at, head.events_up_to, head.events_a_table,
      head.receipts_from, head.receipts_up_to
    into p, h, heads, at, events_up_to, events_a_table, receipts_from, receipts_up_to
    from {schema}.head for update;
  -- Times grow with positions, also if the clock is set back a little. A clock that was ahead for long is not waited for: else
  -- every event would have its false time until the true one has caught up.
  if at <= clock_timestamp() or at > clock_timestamp() + interval '1 minute' then
    at := clock_timestamp();
  end if;
  r_recorded_at := at;
  stamp := extract(epoch from at) * 1000000;
  if p + cardinality(event_ids) + events_a_table / 10 >= events_up_to then
    perform {schema}.add_events_table();
  end if;
  if at < receipts_from or at + interval '1 day' >= receipts_up_to then
    perform {schema}.cover_receipts(at);
  end if;

  select array_agg(coalesce(t.version, 0) order by i), array_agg(t.first_position order by i), array_agg(t.last_position order by i),
    (select array_agg(r.fingerprint order by j)
     from generate_series(1, commands) j left join {schema}.receipts r on r.command_id = command_ids[j])
    into versions, firsts, lasts, known
    from generate_series(1, cardinality(streams)) i left join {schema}.streams t on t.stream = streams[i];
  was := versions;

  for c in 1 .. commands loop
    first_w := w + 1; w := w + write_counts[c]; first_e := e + 1;
    ok := known[c] is null;
    if not ok then
      -- A command that could not be compared has an empty fingerprint.
      outcomes[c] := case when known[c] in (fingerprints[c], '') then 2 else 3 end;
    else
      for i in first_w .. w loop
        s := write_streams[i];
        -- A decision that was based on a failed append is not appended, even if the version fits by chance.
        if (case expected[i] when -2 then false when -1 then versions[s] = 0 else expected[i] <> versions[s] or tainted[s] end) then
          ok := false; outcomes[c] := 1;
        end if;
      end loop;
    end if;
    for i in first_w .. w loop
      s := write_streams[i];
      if event_counts[i] = 0 then
        continue;
      elsif not ok then
        tainted[s] := true; e := e + event_counts[i];
        continue;
      end if;
      k := partitions[s]; before := heads[k + 1]; v := versions[s];
      if v = 0 then
        firsts[s] := p + 1; any_new := true;
      else
        any_known := true;
      end if;
      for j in 1 .. event_counts[i] loop
        e := e + 1; p := p + 1; v := v + 1;
        -- The chain. An event's content is hashed by itself first, so that the chain can be shown to a third party without
        -- showing every event. No part but the last two can hold a newline, and those are JSON documents: no two events
        -- have the same content.
        h := sha256(h || sha256(convert_to(concat_ws(E'\n',
          p, streams[s], v, event_ids[e], types[e], schema_versions[e], k, before, stamp, data[e], metadata[c]), 'UTF8')));
        e_position[e] := p; e_stream[e] := s; e_version[e] := v; e_previous[e] := before; e_command[e] := c; e_hash[e] := h;
        before := p;
      end loop;
      heads[k + 1] := p; versions[s] := v; lasts[s] := p;
    end loop;
    s := write_streams[first_w];
    r_stream[c] := s; r_version[c] := versions[s];
    if ok then
      r_first[c] := first_e; r_last[c] := e;
      r_position[c] := case when event_counts[first_w] > 0 then lasts[s] else 0 end;
      r_began[c] := event_counts[first_w] > 0 and firsts[s] = e_position[first_e];
    end if;
  end loop;

  with made as (
    insert into {schema}.streams (stream, version, first_position, last_position)
      select streams[i], versions[i], firsts[i], lasts[i]
      from generate_series(1, cardinality(streams)) i where was[i] = 0 and versions[i] > 0
  ), grown as (
    update {schema}.streams t set version = versions[i], last_position = lasts[i]
      from generate_series(1, cardinality(streams)) i where was[i] > 0 and versions[i] > was[i] and t.stream = streams[i]
  ), appended as (
    insert into {schema}.events
      select e_position[i], streams[e_stream[i]], e_version[i], event_ids[i], types[i], schema_versions[i],
        partitions[e_stream[i]], e_previous[i], at, data[i], metadata[e_command[i]], e_hash[i]
      from generate_series(1, cardinality(event_ids)) i where e_position[i] is not null
  ), answered as (
    insert into {schema}.receipts
      select command_ids[i], fingerprints[i], streams[r_stream[i]], r_version[i], r_position[i], partitions[r_stream[i]],
        types[r_first[i] : r_last[i]], r_began[i], rejections[i], at
      from generate_series(1, commands) i where outcomes[i] = 0
  )
  update {schema}.head set position = p, hash = h, recorded_at = at, partition_heads = heads where head.position < p;

  if timers is not null then
    -- Of several commands about one timer the last one counts.
    with changes as (
      select distinct on (t.stream, t.name) t.*
      from json_to_recordset(timers)
        as t (command int, ordinal int, stream text, name text, due_at timestamptz, saga text, key text, correlation_id text)
      where outcomes[t.command] = 0
      order by t.stream, t.name, t.command desc, t.ordinal desc
    ), cancelled as (
      delete from {schema}.timers t using changes c where c.due_at is null and t.stream = c.stream and t.name = c.name
    )
    insert into {schema}.timers (stream, name, due_at, saga, key, correlation_id, version)
      select c.stream, c.name, c.due_at, c.saga, c.key, c.correlation_id, r_version[c.command]
      from changes c where c.due_at is not null
    on conflict on constraint timers_pkey do update
      set due_at = excluded.due_at, saga = excluded.saga, key = excluded.key, correlation_id = excluded.correlation_id,
        version = excluded.version;
  end if;
end $$;

-- Keeps a signed head of an event that the log holds with that hash, and no other. It does not check the signature, because
-- the database does not hold the key.
create function {schema}.add_signed_head(
  "position" bigint, hash bytea, timeline int, signed_at timestamptz, key text, signature bytea
) returns void language sql security definer set search_path = pg_catalog, pg_temp as $$
  insert into {schema}.signed_heads
    select $1, $2, $3, $4, $5, $6 where exists (select from {schema}.events e where e.position = $1 and e.hash = $2)
  on conflict do nothing
$$;

-- Notes that the log went back behind what was published. Nothing is published until an operator accepts that.
create function {schema}.begin_timeline(number int, began_after bigint, lost_up_to bigint)
returns void language sql security definer set search_path = pg_catalog, pg_temp as $$
  insert into {schema}.timelines (number, began_after, lost_up_to) values ($1, $2, $3) on conflict do nothing
$$;
