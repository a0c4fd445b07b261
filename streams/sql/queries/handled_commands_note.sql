insert into {schema}.handled_commands as h (partition, up_to, record) values ($1, $2, $3)
on conflict (partition) do update set up_to = excluded.up_to, record = excluded.record where h.up_to < excluded.up_to
