insert into {schema}.pauses (subscription) values ($1) on conflict do nothing
