delete from {schema}.event_attempts where subscription = $1 and source = $2 and partition = $3
