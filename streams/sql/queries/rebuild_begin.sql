insert into {schema}.rebuilds as r (view, generation, building) values ($1, 1, $1 || '_1')
on conflict (view) do update set generation = r.generation + 1, building = $1 || '_' || (r.generation + 1)
returning building
