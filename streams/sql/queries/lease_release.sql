update {schema}.relay set owner = null, expires_at = '-infinity' where owner = $1 and epoch = $2
