-- Writes the rows that events change and moves their checkpoints in one statement: all or nothing, if a row or a checkpoint has
-- changed since it was read. It does not wait for a locked checkpoint: the holder of the lock may be replacing the view's table.
with locked as (
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
  update {schema}.checkpoints c set position = locked.after from locked
  where c.subscription = $1 and c.source = locked.source and c.partition = locked.partition
  returning 1
), changes as (
  select * from json_to_recordset($7::json) r ({typed}, changed_in bigint)
), added as (
  insert into {view} ({columns}, changed_in)
  select {columns}, pg_current_xact_id()::text::bigint from changes where changed_in is null order by {key}
  on conflict do nothing returning 1
), changed as (
  update {view} v set ({columns}, changed_in) = (select {values}, pg_current_xact_id()::text::bigint)
  from changes where v.{key} = changes.{key} and v.changed_in = changes.changed_in
  returning 1
), deleted as (
  delete from {view} v using json_to_recordset($8::json) deletions ({typed_key}, changed_in bigint)
  where v.{key} = deletions.{key} and v.changed_in = deletions.changed_in
  returning 1
)
select {schema}.require(
  (select count(*) from moved) = cardinality($3::int[])
  and (select count(*) from added) + (select count(*) from changed) = json_array_length($7::json)
  and (select count(*) from deleted) = json_array_length($8::json)
)
