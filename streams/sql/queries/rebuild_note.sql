update {schema}.rebuilds
set building = null, building_decided = null, previous = $2, previous_decided = $3, previous_differs = $4,
  switched_at = case when $2::text is null then switched_at else clock_timestamp() end
where view = $1
