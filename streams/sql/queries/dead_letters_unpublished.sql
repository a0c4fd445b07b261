select * from {schema}.dead_letters where subscription = $1 and not published order by id limit 100 for update skip locked
