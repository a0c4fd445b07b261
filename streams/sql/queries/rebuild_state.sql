select generation, building, previous, switched_at from {schema}.rebuilds where view = $1
