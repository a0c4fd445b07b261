delete from {schema}.pauses where subscription = $1
