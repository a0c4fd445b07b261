select generation, building, building_decided, previous, previous_decided, previous_differs, switched_at
from {schema}.rebuilds where view = $1
