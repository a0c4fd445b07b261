select position, epoch, owner, problem,
  owner is not null and clock_timestamp() between renewed_at - lease and renewed_at + lease as held
from {schema}.relay
