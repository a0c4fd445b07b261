revoke all on all tables in schema {schema} from public;
grant usage on schema {schema} to caudal_writer, caudal_reader;
grant select on {schema}.subject_keys to caudal_writer, caudal_reader;
grant insert, update on {schema}.subject_keys to caudal_writer;
grant usage on schema {schema} to caudal_writer, caudal_projector, caudal_reader;
grant select on {schema}.migrations to caudal_writer, caudal_projector, caudal_reader;
