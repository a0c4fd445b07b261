-- What was applied is gone, unless with other data: then it is kept, for those who fold the log anew.
with mended as (
  update {schema}.dead_letters set state = 'mended', due_at = null where id = $1 and edited is not null returning id
)
delete from {schema}.dead_letters where id = $1 and edited is null
