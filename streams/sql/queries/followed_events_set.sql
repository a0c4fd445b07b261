insert into {schema}.followed_events as f (subscription, source, events) values ($1, $2, $3)
on conflict (subscription, source) do update set events = excluded.events where f.events is distinct from excluded.events
returning subscription
