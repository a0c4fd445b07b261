-- Notes a schema under the id that its registry gave it.
insert into {schema}.schemas (registry, id, subject, version, definition) values ($1, $2, $3, $4, $5)
on conflict do nothing
