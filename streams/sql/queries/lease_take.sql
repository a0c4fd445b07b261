-- Takes the lease if it is free, over or already held by the owner; the epoch grows with every change of owner.
update {schema}.relay
set owner = $1, problem = null, renewed_at = clock_timestamp(), lease = make_interval(secs => $2),
    epoch = case when owner = $1 and clock_timestamp() - renewed_at < lease then epoch else epoch + 1 end
where owner is null or owner = $1 or clock_timestamp() not between renewed_at - lease and renewed_at + lease
returning epoch, position
