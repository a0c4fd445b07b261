update {schema}.rebuilds set building = $2, previous = $3, switched_at = case when $4 then clock_timestamp() else switched_at end
where view = $1
