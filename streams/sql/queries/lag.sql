-- Counts the events of the log above the checkpoints of its partitions.
select count(*) from {schema}.events e
join unnest($1::bigint[]) with ordinality c(position, ordinal) on e.partition = c.ordinal - 1 and e.position > c.position
where e.position > (select min(p) from unnest($1::bigint[]) p)
