update {schema}.rebuilds
set building = null, building_resolutions = null, previous = $2, previous_resolutions = $3, previous_differs = $4,
  switched_at = case when $2::text is null then switched_at else clock_timestamp() end
where view = $1
