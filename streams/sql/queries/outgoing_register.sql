-- Notes what is published from a position on; if it is known, its schema alone changes.
insert into {schema}.outgoing (topic, name, context, schema_id, begins_after) values ($1, $2, $3, $4, $5)
on conflict (topic, name) do update set schema_id = excluded.schema_id
