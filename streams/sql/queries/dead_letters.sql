select * from {schema}.dead_letters
where subscription = $1 and ($2 or state in ('retrying', 'parked', 'waiting')) order by source, stream nulls last, position, id
