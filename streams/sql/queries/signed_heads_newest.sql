select position, hash, timeline, signed_at, key, signature from {schema}.signed_heads order by position desc limit $1
