select pg_notify('caudal_appended', $1)
