"""One stack for all tests that leave it as they found it."""

from collections.abc import AsyncIterator

import pytest

from tests.stack import RunningStack, running_stack


@pytest.fixture(scope="session")
async def stack(request: pytest.FixtureRequest) -> AsyncIterator[RunningStack]:
    broker = request.config.getoption("--broker")
    arguments = ("--ephemeral", "--broker", broker)
    async with running_stack(*arguments, environment={"CAUDAL_SIGN_SECONDS": "0.5"}) as running:
        yield running
