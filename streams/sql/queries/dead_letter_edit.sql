update {schema}.dead_letters set edited = $2 where id = $1
