-- Locks checkpoints: of two workers on one partition, the second sees what the first has done.
select c.source, c.partition, c.position,
  exists (select from {schema}.pauses p where p.subscription = $1) as is_paused,
  exists (select from {schema}.dead_letters d
          where d.subscription = $1 and d.source = c.source and d.state in ('retrying', 'parked', 'waiting')) as has_dead_letters
from {schema}.checkpoints c
where c.subscription = $1 and (c.source, c.partition) in (select * from unnest($2::text[], $3::int[]))
order by c.source, c.partition for update
