-- The schemas of integration topics, with the ids that a schema registry gave them: the one of a URL, or '' for this database.
create table {schema}.schemas (
  registry text collate "C" not null,
  id int not null,
  subject text collate "C" not null,
  version int not null,
  definition text not null,
  primary key (registry, subject, version)
);
create index on {schema}.schemas (registry, id);
-- What is published on integration topics. Events after a position are published; those before were recorded earlier.
create table {schema}.outgoing (
  topic text collate "C" not null,
  name text collate "C" not null,
  context text collate "C" not null,
  schema_id int,
  begins_after bigint not null,
  primary key (topic, name)
);
