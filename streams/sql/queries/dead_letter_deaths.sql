update {schema}.dead_letters set deaths = $2 where id = $1
