select position, hash, signed_at, key, signature from {schema}.signed_heads where position > $1 order by position limit $2
