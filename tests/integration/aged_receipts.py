"""Receipts that are weeks old: tables of receipts are dropped by the time in their names."""

import asyncpg


async def age_receipts(owner: asyncpg.Connection, schema: str) -> None:
    """Makes the receipts of a log four weeks old; the tables made ahead of need are dropped."""
    table, *ahead = await tables_of(owner, schema, "receipts")
    for name in ahead:
        await owner.execute(f"drop table {schema}.{name}")
    await owner.execute(f"alter table {schema}.receipts detach partition {schema}.{table}")
    await owner.execute(f"update {schema}.{table} set recorded_at = recorded_at - interval '28 days'")
    await owner.execute(f"alter table {schema}.{table} rename to now_old")
    await owner.execute(
        f"""do $$ declare week timestamptz := date_trunc('week', now() - interval '28 days', 'UTC'); begin
        execute format('alter table {schema}.now_old rename to receipts_from_%s', to_char(week, 'YYYYMMDD'));
        execute format('alter table {schema}.receipts attach partition {schema}.receipts_from_%s for values from (%L) to (%L)',
          to_char(week, 'YYYYMMDD'), week, week + interval '7 days'); end $$"""
    )
    await owner.execute(f"update {schema}.head set receipts_up_to = '-infinity'")


async def add_receipts_of_last_week(owner: asyncpg.Connection, schema: str) -> None:
    """Adds receipts that are a week older than today's: older ones expire only if there are newer tables with receipts."""
    await owner.execute(f"select {schema}.cover_receipts(clock_timestamp() - interval '7 days')")
    await owner.execute(f"""insert into {schema}.receipts
        select gen_random_uuid(), fingerprint, stream, version, position, partition, events, began_stream, rejection,
          recorded_at - interval '7 days' from {schema}.receipts where recorded_at > now() - interval '1 day'""")


async def tables_of(owner: asyncpg.Connection, schema: str, parent: str) -> list[str]:
    """Returns the names of the tables of which a table consists, in the order in which they were made."""
    rows = await owner.fetch(
        "select relname from pg_inherits join pg_class on oid = inhrelid where inhparent = $1::text::regclass order by oid",
        f"{schema}.{parent}",
    )
    return [row["relname"] for row in rows]
