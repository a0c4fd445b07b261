revoke all on all tables in schema {schema} from public;
grant usage on schema {schema} to caudal_writer, caudal_projector, caudal_reader;
grant select on {schema}.migrations, {schema}.schemas, {schema}.outgoing to caudal_writer, caudal_projector, caudal_reader;
