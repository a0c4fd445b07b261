-- What some events make of a view's rows, and the checkpoints behind them, in one statement: all of it, or nothing where any row
-- or checkpoint is not as it was read. Nobody waits here for a checkpoint: whoever holds one has the view's tables before him.
with held as (
  select c.source, c.partition, n.after
  from {schema}.checkpoints c
  join unnest($2::text[], $3::int[], $4::bigint[], $5::int[], $6::bigint[]) n (source, partition, before, generation, after)
    on c.source = n.source and c.partition = n.partition and c.position = n.before and c.generation = n.generation
  where c.subscription = $1
    and not exists (select from {schema}.pauses p where p.subscription = $1)
    and not exists (select from {schema}.dead_letters d
                    where d.subscription = $1 and d.source = c.source and d.position is not null
                      and d.state in ('retrying', 'parked', 'waiting'))
  for update of c skip locked
), moved as (
  update {schema}.checkpoints c set position = held.after from held
  where c.subscription = $1 and c.source = held.source and c.partition = held.partition
  returning 1
), fresh as (
  select * from json_to_recordset($7::json) r ({typed}, changed_in bigint)
), added as (
  insert into {view} ({columns}, changed_in)
  select {columns}, pg_current_xact_id()::text::bigint from fresh where changed_in is null order by {key}
  on conflict do nothing returning 1
), changed as (
  update {view} v set ({columns}, changed_in) = (select {values}, pg_current_xact_id()::text::bigint)
  from fresh where v.{key} = fresh.{key} and v.changed_in = fresh.changed_in
  returning 1
), removed as (
  delete from {view} v using json_to_recordset($8::json) gone ({typed_key}, changed_in bigint)
  where v.{key} = gone.{key} and v.changed_in = gone.changed_in
  returning 1
)
select {schema}.insist(
  (select count(*) from moved) = cardinality($3::int[])
  and (select count(*) from added) + (select count(*) from changed) = json_array_length($7::json)
  and (select count(*) from removed) = json_array_length($8::json)
)
