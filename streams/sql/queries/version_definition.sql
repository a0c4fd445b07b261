select obj_description(to_regclass('{schema}.' || quote_ident($1)), 'pg_class')
