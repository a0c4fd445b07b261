-- Append-only for real: no role but the owner may write the log's tables; the writer appends through the function alone.
revoke all on all tables in schema {schema} from public;
revoke all on all functions in schema {schema} from public;
grant usage on schema {schema} to caudal_writer, caudal_projector, caudal_reader;
grant select on all tables in schema {schema} to caudal_writer, caudal_projector, caudal_reader;
grant execute on function {schema}.append, {schema}.purge_receipts, {schema}.add_signed_head,
  {schema}.begin_timeline to caudal_writer;
grant update on {schema}.relay to caudal_writer;
grant insert, update on {schema}.snapshots to caudal_writer;
grant insert, update, delete on {schema}.handled_commands, {schema}.attempts, {schema}.relays, {schema}.checkpoints, {schema}.pauses, {schema}.dead_letters to caudal_writer;
grant usage on schema {schema} to caudal_writer, caudal_projector, caudal_reader;
grant select on {schema}.migrations to caudal_writer, caudal_projector, caudal_reader;
