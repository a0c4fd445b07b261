-- Events that are left out, or applied with other data, when the log is applied anew.
select source, position, case when state = 'repaired' then edited end as edited
from {schema}.dead_letters
where subscription = $1 and position is not null and ($2 or state in ('skipped', 'repaired'))
