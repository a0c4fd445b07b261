-- Deletes what is repaired in the live version ($1) and open again in its candidate ($2).
delete from {schema}.dead_letters live using {schema}.dead_letters candidate
where candidate.subscription = $2 and candidate.state in ('retrying', 'parked', 'waiting') and live.subscription = $1
  and live.source = candidate.source and live.position = candidate.position and live.state = 'repaired'
