update {schema}.dead_letters set state = 'skipped', due_at = null where id = $1 returning subscription, source, stream
