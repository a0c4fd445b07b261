-- The versions of a view, locked until the end of the transaction: versions are started, switched and dropped one at a time.
insert into {schema}.rebuilds as r (view) values ($1)
on conflict (view) do update set view = excluded.view
returning building, building_resolutions, previous, previous_resolutions, previous_differs, switched_at
