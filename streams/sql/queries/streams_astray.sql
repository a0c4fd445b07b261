-- Streams that say another last event than the log has.
select s.stream, s.last_position from {schema}.streams s left join {schema}.events e on e.position = s.last_position
where e.stream is distinct from s.stream or e.version is distinct from s.version
order by s.last_position limit 1
