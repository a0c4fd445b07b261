select version from {schema}.streams where stream = $1
