-- Nothing that a crash might lose is written here: there is no point in waiting for the disk.
set local synchronous_commit = off;
select pg_notify('caudal_appended', $${schema}$$);
