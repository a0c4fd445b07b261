select command_id, rejection from {schema}.receipts where command_id = any($1)
