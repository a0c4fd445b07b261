update {schema}.relay set owner = null where owner = $1 and epoch = $2
