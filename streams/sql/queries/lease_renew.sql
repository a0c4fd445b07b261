update {schema}.relay set expires_at = clock_timestamp() + $3 * interval '1 second'
where owner = $1 and epoch = $2 returning epoch
