select definition from {schema}.definitions where name = $1 and to_regclass('{schema}.' || quote_ident($1)) is not null
