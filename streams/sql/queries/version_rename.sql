select {schema}.rename_version($1, $2)
