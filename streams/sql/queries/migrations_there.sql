-- Whether the schema has been begun: asked so, a database without it logs no error.
select to_regclass('{schema}.migrations') is not null
