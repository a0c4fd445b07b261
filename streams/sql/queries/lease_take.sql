-- Takes the lease if it is free, expired or already held by the owner; the epoch grows with every change of owner.
update {schema}.relay
set owner = $1, expires_at = clock_timestamp() + $2 * interval '1 second',
    epoch = case when owner = $1 and expires_at > clock_timestamp() then epoch else epoch + 1 end
where owner is null or owner = $1 or expires_at <= clock_timestamp()
returning epoch, position
