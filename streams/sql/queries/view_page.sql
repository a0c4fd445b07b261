-- The first rows of a statement, in its order: as many as their size allows, which is read without the values themselves; at
-- least one. `found_rows_` is the number of all its rows.
select * from (
  select *, count(*) over () as found_rows_,
    sum({size}) over (order by {order} rows between unbounded preceding and 1 preceding) as bytes_before_
  from ({statement}) as found
) as measured
where coalesce(bytes_before_, 0) < {max_bytes} order by {order}
