-- Returns the end of the log according to its head, and according to its events, at one moment.
select h.position, h.hash, coalesce((select max(position) from {schema}.events), 0) as last,
  (select coalesce(sum(version), 0) from {schema}.streams) as versions
from {schema}.head h
