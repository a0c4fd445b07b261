select * from {schema}.dead_letters where id = $1 for update
