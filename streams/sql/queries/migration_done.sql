insert into {schema}.migrations (name) values ($1)
