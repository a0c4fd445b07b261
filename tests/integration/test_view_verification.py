"""`caudal verify views`: names each row that is not as the logs say."""

from pathlib import Path

import orjson
import pytest

from projectors.projector import Projector
from projectors.verification import VerifiedView, ViewVerification
from schemas.catalog import Catalog
from schemas.system import ContextName
from streams.database.pools import Databases
from streams.database.store import Store
from streams.installation import Installation
from streams.log.reading import PostgresLog
from streams.log.stored_events import StoredEvent
from streams.settings import Settings
from tests.integration.deliveries import RECORDS, batches_of, received_validated_and_processed
from tests.stack import caudal

VIEW = "data_ingestion__ingestion__views.records"


@pytest.fixture
async def rows(settings: Settings, catalog: Catalog, databases: Databases) -> dict[ContextName, list[StoredEvent]]:
    """Logs, and a view that has applied a part of them."""
    rows = await received_validated_and_processed(settings, catalog, databases)
    logs = {context: PostgresLog(Store.of_log(databases, settings.write_dsn, context), context) for context in catalog.contexts}
    projector = Projector(Installation(settings, catalog, databases), RECORDS, logs)
    for batch in batches_of(rows, 10)[:9]:
        await projector.handle([batch])
    return rows


async def verify(settings: Settings, catalog: Catalog, databases: Databases) -> VerifiedView:
    logs = {context: PostgresLog(Store.of_log(databases, settings.write_dsn, context), context) for context in catalog.contexts}
    verification = ViewVerification(Installation(settings, catalog, databases), RECORDS, logs)
    return await verification.run(lambda done, total: None)


async def test_a_view_that_lags_is_right_up_to_its_checkpoints(
    settings: Settings, catalog: Catalog, databases: Databases, rows: dict[ContextName, list[StoredEvent]]
) -> None:
    verified = await verify(settings, catalog, databases)

    assert verified.found == 0
    assert verified.rows > 0
    assert 0 < verified.events < sum(map(len, rows.values()))


async def test_an_empty_view_is_right(settings: Settings, catalog: Catalog, databases: Databases) -> None:
    verified = await verify(settings, catalog, databases)

    assert (verified.events, verified.rows, verified.found) == (0, 0, 0)


@pytest.mark.parametrize(
    ("harm", "kind"),
    [
        (f"update {VIEW} set partner_id = 'another' where data_id = $1", "altered"),
        (f"update {VIEW} set payload = '{{}}' where data_id = $1", "altered"),
        (f"update {VIEW} set correlation_id = correlation_id || 'x' where data_id = $1", "altered"),
        (f"delete from {VIEW} where data_id = $1", "missing"),
        (f"update {VIEW} set data_id = gen_random_uuid() where data_id = $1", "extra"),
    ],
)
async def test_each_row_that_differs_is_named(
    settings: Settings, catalog: Catalog, databases: Databases, rows: dict[ContextName, list[StoredEvent]], harm: str, kind: str
) -> None:
    async with databases.connection(settings.write_dsn) as connection:
        victim = await connection.fetchval(f"select data_id from {VIEW} limit 1")
        await connection.execute(harm, victim)

    verified = await verify(settings, catalog, databases)

    assert kind in {finding.kind for finding in verified.findings}
    assert verified.found == (2 if kind == "extra" else 1)
    assert str(victim) in {finding.key for finding in verified.findings}


async def test_the_command_names_the_row(
    settings: Settings, databases: Databases, rows: dict[ContextName, list[StoredEvent]], tmp_path: Path
) -> None:
    environment = {"CAUDAL_WRITE_DSN": settings.write_dsn, "CAUDAL_BROKERS": settings.brokers}
    arguments = ("verify", "views", "data_ingestion.records", "--data-dir", str(tmp_path))
    assert (await caudal(*arguments, environment=environment))[0] == 0
    async with databases.connection(settings.write_dsn) as connection:
        victim = await connection.fetchval(f"delete from {VIEW} where ctid = (select min(ctid) from {VIEW}) returning data_id")

    code, out, _ = await caudal(*arguments, environment=environment)

    assert code == 1
    assert f"key {victim} missing" in out
    code, out, _ = await caudal(*arguments, "--repair", "--json", environment=environment)
    (report,) = orjson.loads(out)["answer"]
    assert (code, report["repaired"]) == (
        0,
        "rebuilt from the logs; the version with 1 wrong row is kept until it is discarded",
    )
    assert (await caudal(*arguments, environment=environment))[0] == 0
    code, _, err = await caudal(
        "verify", "views", "data_ingestion.nothing", "--data-dir", str(tmp_path), environment=environment
    )
    assert code == 1
    assert "there are data_ingestion.records" in err


async def test_a_table_of_an_older_shape_is_one_finding_and_is_rebuilt_on_request(
    settings: Settings, databases: Databases, rows: dict[ContextName, list[StoredEvent]], tmp_path: Path
) -> None:
    environment = {"CAUDAL_WRITE_DSN": settings.write_dsn, "CAUDAL_BROKERS": settings.brokers}
    arguments = ("verify", "views", "data_ingestion.records", "--data-dir", str(tmp_path))
    async with databases.connection(settings.write_dsn) as connection:
        await connection.execute(f"alter table {VIEW} drop column correlation_id")
        await connection.execute(f"update {VIEW.partition('.')[0]}.definitions set definition = 'an older shape'")

    code, out, err = await caudal(*arguments, environment=environment)

    assert (code, "Traceback" in err) == (1, False)
    assert "the view data_ingestion.records has other columns than its table: run `caudal projections rebuild" in out
    assert out.splitlines()[-1].startswith("WRONG: view data_ingestion.records")
    status, said, err = await caudal("status", "--data-dir", str(tmp_path), environment=environment)
    assert "the view data_ingestion.records has other columns than its table" in said, err
    assert status == 1
    assert (await caudal(*arguments, "--repair", environment=environment))[0] == 0
    assert (await caudal(*arguments, environment=environment))[0] == 0
