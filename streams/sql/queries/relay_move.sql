update {schema}.relay set position = $2 where epoch = $1 returning position
