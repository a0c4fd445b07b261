-- Does not wait for the disk: a crash can lose nothing that is written here.
set local synchronous_commit = off;
select pg_notify('caudal_appended', $${schema}$$);
