select {schema}.add_signed_head($1, $2, $3, $4, $5, $6)
