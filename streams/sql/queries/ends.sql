-- Where the log says that it ends, and where it does, at one moment.
select h.position, h.hash, coalesce((select max(position) from {schema}.events), 0) as last,
  (select coalesce(sum(version), 0) from {schema}.streams) as versions
from {schema}.head h
