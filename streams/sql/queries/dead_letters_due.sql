select distinct source, partition, stream from {schema}.dead_letters
where subscription = $1 and state = 'retrying' and due_at <= clock_timestamp() limit 100
