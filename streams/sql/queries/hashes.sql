select position, hash from {schema}.events where position = any($1) order by position
