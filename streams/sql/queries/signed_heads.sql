select position, hash, timeline, signed_at, key, signature from {schema}.signed_heads 
where (position, signature) > ($1, $2) order by position, signature limit $3
