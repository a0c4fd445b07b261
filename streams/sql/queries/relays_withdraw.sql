delete from {schema}.relays where owner = $1
