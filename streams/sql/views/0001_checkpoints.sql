-- Where each projection stands in each partition of each context that feeds it; moved in the transaction that writes rows.
create table {schema}.checkpoints (
  projection text not null,
  source text not null,
  partition int not null,
  position bigint not null,
  primary key (projection, source, partition)
) with (fillfactor = 10);
