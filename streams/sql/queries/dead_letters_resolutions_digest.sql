-- A digest of how operators have resolved a subscription's dead letters.
select md5(coalesce(string_agg(format('%s %s %s %L', state, source, position, edited), E'\n' order by source, position), ''))
from {schema}.dead_letters where subscription = $1 and position is not null and state in ('skipped', 'repaired')
