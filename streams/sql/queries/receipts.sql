select command_id, fingerprint, stream, version, position, partition, events, began_stream, rejection, recorded_at
from {schema}.receipts where command_id = any($1)
