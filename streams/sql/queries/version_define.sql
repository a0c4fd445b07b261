select {schema}.define_version($1, $2)
