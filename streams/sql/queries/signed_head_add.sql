insert into {schema}.signed_heads (position, hash, signed_at, key, signature) values ($1, $2, $3, $4, $5)
on conflict (position) do nothing
