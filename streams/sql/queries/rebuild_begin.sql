update {schema}.rebuilds
set generation = generation + 1, building = $1 || '_' || (generation + 1), building_resolutions = $2
where view = $1 returning building
