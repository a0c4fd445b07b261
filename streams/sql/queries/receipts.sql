select command_id, fingerprint, stream, version, position, partition, events, began_stream, rejection
from {schema}.receipts where command_id = any($1)
