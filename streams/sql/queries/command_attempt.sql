select first_offset, attempts from {schema}.command_attempts where partition = $1
