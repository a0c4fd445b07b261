select {schema}.drop_version($1)
