select command_id from {schema}.receipts where command_id = any($1)
