-- What is published on integration topics, with the schema's id and the position after which it begins.
select topic, name, context, schema_id, begins_after from {schema}.outgoing
