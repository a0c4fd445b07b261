select name, shape from {schema}.known_commands
