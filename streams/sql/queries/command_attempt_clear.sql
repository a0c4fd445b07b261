delete from {schema}.command_attempts where partition = $1
