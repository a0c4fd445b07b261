update {schema}.relay set position = $2, problem = $3 where epoch = $1 returning position
