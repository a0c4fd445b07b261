revoke all on all tables in schema {schema} from public;
grant usage on schema {schema} to caudal_projector, caudal_reader;
grant select on all tables in schema {schema} to caudal_reader;
grant select, insert, update, delete on all tables in schema {schema} to caudal_projector;
alter default privileges in schema {schema} grant select on tables to caudal_reader;
alter default privileges in schema {schema} grant select, insert, update, delete on tables to caudal_projector;
grant usage on schema {schema} to caudal_writer, caudal_projector, caudal_reader;
grant select on {schema}.migrations to caudal_writer, caudal_projector, caudal_reader;
