select {schema}.note_definition($1, $2)
