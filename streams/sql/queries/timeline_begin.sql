select {schema}.begin_timeline($1, $2, $3)
