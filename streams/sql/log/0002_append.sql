-- Appends a batch of commands in one round trip, each all or none, and answers each with its receipt.
--
-- A command is a run of write_counts[c] writes; a write is one stream at an expected version with a run of
-- event_counts[w] events, none meaning that the stream is only checked. outcome: 0 appended, 1 version conflict,
-- 2 handled before, 3 command id used before for another command.
create function {schema}.append(
  command_ids uuid[], fingerprints bytea[], refusals text[], refusal_kinds text[], metadata json[], write_counts int[],
  write_streams int[], expected int[], event_counts int[],
  streams text[], partitions int[],
  event_ids uuid[], types text[], schema_versions int[], data json[]
) returns table (
  outcome int, command_id uuid, stream text, version int, "position" bigint, partition int, events text[],
  began_stream boolean, refusal text, refusal_kind text
) language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
  p bigint; h bytea; heads bigint[]; at timestamptz; stamp text;
  versions int[]; was int[]; known bytea[];
  outcomes int[] := array_fill(0, array[cardinality(command_ids)]);
  tainted boolean[];                  -- streams for which a command of this batch had events that are not appended
  w int := 0; e int := 0; first_w int; ok boolean; s int; k int; n int := 0; first_e int;
  r_version int[] := array_fill(0, array[cardinality(command_ids)]);
  r_position bigint[] := array_fill(0::bigint, array[cardinality(command_ids)]);
  r_first int[] := array_fill(1, array[cardinality(command_ids)]);
  r_last int[] := array_fill(0, array[cardinality(command_ids)]);
  r_began boolean[] := array_fill(false, array[cardinality(command_ids)]);
  r_stream int[] := array_fill(0, array[cardinality(command_ids)]);
  e_position bigint[] := array_fill(null::bigint, array[cardinality(event_ids)]);
  e_previous bigint[] := e_position; e_stream int[]; e_version int[]; e_hash bytea[]; e_command int[];
begin
  e_stream := array_fill(null::int, array[cardinality(event_ids)]); e_version := e_stream; e_command := e_stream;
  e_hash := array_fill(null::bytea, array[cardinality(event_ids)]);
  -- This row lock is held until commit: positions become visible in order and without gaps.
  select head.position, head.hash, head.partition_heads, greatest(head.recorded_at, clock_timestamp())
    into p, h, heads, at from {schema}.head for update;
  stamp := (extract(epoch from at) * 1000000)::bigint::text;
  select array_agg(coalesce(t.version, 0) order by o) into versions
    from unnest(streams) with ordinality q(name, o) left join {schema}.streams t on t.stream = q.name;
  select array_agg(r.fingerprint order by o) into known
    from unnest(command_ids) with ordinality q(id, o) left join {schema}.receipts r on r.command_id = q.id;
  was := versions;
  tainted := array_fill(false, array[cardinality(streams)]);

  for c in 1 .. cardinality(command_ids) loop
    first_w := w + 1; w := w + write_counts[c]; first_e := e + 1;
    ok := known[c] is null;
    if not ok then
      outcomes[c] := case when known[c] = fingerprints[c] then 2 else 3 end;
    else
      for i in first_w .. w loop
        -- What was decided on top of events that did not come to be is not appended, even where the version fits by chance.
        if expected[i] <> versions[write_streams[i]] or tainted[write_streams[i]] then
          ok := false; outcomes[c] := 1;
        end if;
      end loop;
    end if;
    if not ok then
      for i in first_w .. w loop
        if event_counts[i] > 0 then tainted[write_streams[i]] := true; end if;
      end loop;
    end if;
    for i in first_w .. w loop
      s := write_streams[i];
      for j in 1 .. event_counts[i] loop
        e := e + 1;
        if ok then
          p := p + 1; versions[s] := versions[s] + 1; k := partitions[s] + 1;
          e_position[e] := p; e_previous[e] := heads[k]; e_stream[e] := s; e_version[e] := versions[s]; e_command[e] := c;
          h := sha256(h || convert_to(concat_ws(E'\n',
            p, streams[s], versions[s], event_ids[e], types[e], schema_versions[e], partitions[s], heads[k], stamp,
            data[e], metadata[c]), 'UTF8'));
          e_hash[e] := h; heads[k] := p; n := n + 1;
          if i = first_w then r_position[c] := p; end if;
        end if;
      end loop;
    end loop;
    s := write_streams[first_w];
    r_began[c] := ok and expected[first_w] = 0 and event_counts[first_w] > 0;
    r_stream[c] := s; r_version[c] := versions[s];
    if ok then
      r_first[c] := first_e; r_last[c] := e;
    end if;
  end loop;

  if n > 0 then
    insert into {schema}.streams as t (stream, version)
      select name, now_at from unnest(streams, was, versions) q(name, before, now_at) where now_at <> before
      on conflict (stream) do update set version = excluded.version;
    insert into {schema}.events
      select ep, streams[es], ev, id, type, sv, partitions[es], eprev, at, d, metadata[ec], eh
      from unnest(e_position, e_stream, e_version, event_ids, types, schema_versions, e_previous, data, e_command, e_hash)
        q(ep, es, ev, id, type, sv, eprev, d, ec, eh)
      where ep is not null;
    update {schema}.head set position = p, hash = h, recorded_at = at, partition_heads = heads;
  end if;
  insert into {schema}.receipts
    select id, fp, streams[rs], rv, rp, partitions[rs], types[rf:rl], rb, why, kind, at
    from unnest(command_ids, fingerprints, outcomes, r_stream, r_version, r_position, r_first, r_last, r_began,
      refusals, refusal_kinds) q(id, fp, o, rs, rv, rp, rf, rl, rb, why, kind)
    where o = 0;
  return query
    select q.o, q.id, coalesce(r.stream, streams[q.rs]), coalesce(r.version, q.rv), coalesce(r.position, 0),
      coalesce(r.partition, partitions[q.rs]), r.events, r.began_stream, r.refusal, r.refusal_kind
    from unnest(command_ids, outcomes, r_stream, r_version) with ordinality q(id, o, rs, rv, ord)
    left join {schema}.receipts r on r.command_id = q.id
    order by q.ord;
end $$;
