-- What there is beside a live view, held until the transaction's end: versions are begun, switched and dropped one at a time.
insert into {schema}.rebuilds as r (view) values ($1)
on conflict (view) do update set view = excluded.view
returning generation, building, building_decided, previous, previous_decided, previous_differs, switched_at
