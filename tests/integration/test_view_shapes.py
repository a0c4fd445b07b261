"""A view whose table has another shape than the installed code declares: the projectors say so and are not ready."""

import pytest

from projectors.service import Projectors
from schemas.catalog import Catalog
from schemas.data_ingestion.records import Records
from schemas.system import ContextName
from streams.database.pools import Databases
from streams.installation import Installation
from streams.migrations.view_shapes import declared_shape, wrong_view_shapes
from streams.settings import Settings

HOME = ContextName("data_ingestion", "ingestion")


@pytest.fixture
def installation(settings: Settings, catalog: Catalog, databases: Databases) -> Installation:
    return Installation(settings, catalog, databases)


async def define(installation: Installation, shape: str) -> None:
    owner = Databases("caudal_owner", 1)
    await (
        Installation(installation.settings, installation.catalog, owner)
        .view_store(HOME)
        .execute("version_define", "records", shape)
    )
    await owner.close()


async def test_a_view_of_another_shape_is_named_with_the_command_that_repairs_it(installation: Installation) -> None:
    assert await wrong_view_shapes(installation) == []

    await define(installation, "another shape")

    (found,) = await wrong_view_shapes(installation)
    assert "the view data_ingestion.records has another shape than its table" in found
    assert "`caudal projections rebuild data_ingestion.records`" in found


async def test_a_view_without_a_table_is_named(installation: Installation) -> None:
    await installation.view_store(HOME).execute("version_drop", "records")

    assert await wrong_view_shapes(installation) == ["the view data_ingestion.records has no table: run `caudal migrate`"]


async def test_projectors_are_not_ready_until_the_shape_is_right(installation: Installation) -> None:
    projectors = Projectors(installation.settings, installation.catalog)
    await define(installation, "another shape")
    assert "data_ingestion.records has another shape" in str(await projectors.why_not_ready())

    await define(installation, declared_shape(HOME, Records))

    assert "has not assigned partitions yet" in str(await projectors.why_not_ready())
