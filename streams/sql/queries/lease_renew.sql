update {schema}.relay set renewed_at = clock_timestamp(), lease = make_interval(secs => $3)
where owner = $1 and epoch = $2 returning epoch
