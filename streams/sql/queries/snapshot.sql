-- A snapshot that is ahead of its stream belongs to another log, such as the one before a backup was restored.
select s.stream, s.version, s.state_schema, s.state
from {schema}.snapshots s join {schema}.streams t on t.stream = s.stream and t.version >= s.version where s.stream = $1
