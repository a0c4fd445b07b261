select command_id, fingerprint, stream, version, position, partition, events, began_stream, refusal
from {schema}.receipts where command_id = any($1)
