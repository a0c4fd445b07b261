-- What a fresh fold of a log leaves out, and what it takes in another form.
select source, position, case when state = 'mended' then edited end as edited
from {schema}.dead_letters
where subscription = $1 and position is not null and ($2 or state in ('skipped', 'mended'))
