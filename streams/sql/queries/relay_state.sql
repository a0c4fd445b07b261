select position, epoch, owner, expires_at > clock_timestamp() as held from {schema}.relay
