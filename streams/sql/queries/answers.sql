select command_id, refusal from {schema}.receipts where command_id = any($1)
