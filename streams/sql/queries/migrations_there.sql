-- Returns whether the schema exists. Asked like this, a database without it logs no error.
select to_regclass('{schema}.migrations') is not null
