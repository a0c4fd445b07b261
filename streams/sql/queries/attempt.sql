select first, up_to, times from {schema}.attempts where subscription = $1 and source = $2 and partition = $3
