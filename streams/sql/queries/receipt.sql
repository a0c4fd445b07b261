select command_id, fingerprint, stream, version, position, partition, events, refusal, refusal_kind
from {schema}.receipts where command_id = $1
