select count(*) from {schema}.events where partition = $1 and position <= $2
