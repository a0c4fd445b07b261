-- Accepts the loss with which a timeline began: the relay continues after the last position that both have.
with accepted as (
  update {schema}.timelines set accepted_at = clock_timestamp() where number = $1 and accepted_at is null returning began_after
)
update {schema}.relay set position = began_after, epoch = epoch + 1, owner = null from accepted
returning began_after
