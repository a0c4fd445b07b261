update {schema}.dead_letters set published = true where id = any($1)
