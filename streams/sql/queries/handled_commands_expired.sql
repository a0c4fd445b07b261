select expired_up_to, expired_record from {schema}.handled_commands where partition = $1 and expired_up_to is not null
