select building, building_resolutions, previous, previous_resolutions, previous_differs, switched_at
from {schema}.rebuilds where view = $1
