update {schema}.relay set owner = null, problem = null where owner = $1 and epoch = $2
