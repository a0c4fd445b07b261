select number, began_after, lost_up_to, found_at, accepted_at from {schema}.timelines order by number
