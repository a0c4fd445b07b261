-- Waits until no other transaction registers integration topics: ids are given one after the other.
select pg_advisory_xact_lock(hashtext('{schema}'))
