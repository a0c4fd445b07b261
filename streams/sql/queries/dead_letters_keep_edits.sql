-- Gives the open dead letters of a candidate ($2) the edited data that the live version ($1) has for the same events.
update {schema}.dead_letters candidate set edited = live.edited from {schema}.dead_letters live
where candidate.subscription = $2 and candidate.state in ('retrying', 'parked', 'waiting') and live.subscription = $1
  and live.source = candidate.source and live.position = candidate.position and live.state = 'repaired'
