select * from {schema}.purge_receipts($1)
