-- The schemas that a registry has, in the order of their ids.
select id, subject, version, definition from {schema}.schemas where registry = $1 order by id
