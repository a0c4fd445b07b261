-- Returns a stream whose row does not match its first or its last event in the log.
select s.stream, s.last_position from {schema}.streams s
left join {schema}.events e on e.position = s.last_position
left join {schema}.events f on f.position = s.first_position
where e.stream is distinct from s.stream or e.version is distinct from s.version
  or f.stream is distinct from s.stream or f.version is distinct from 1
order by s.last_position limit 1
