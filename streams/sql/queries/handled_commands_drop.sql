delete from {schema}.handled_commands where partition = $1
