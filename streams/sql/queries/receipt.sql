select command_id, fingerprint, stream, version, position, partition, events, began_stream, refusal, refusal_kind
from {schema}.receipts where command_id = $1
