-- Removes a dead letter that was handled. With other data it is kept as repaired, for rebuilds.
with repaired as (
  update {schema}.dead_letters set state = 'repaired', due_at = null where id = $1 and edited is not null returning id
)
delete from {schema}.dead_letters where id = $1 and edited is null
