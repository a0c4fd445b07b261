select count, extract(epoch from expires_at)::float8 as expires_at
from {schema}.counters where key = $1 and expires_at >= clock_timestamp()
