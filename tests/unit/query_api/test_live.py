"""Live views: they end when whoever watches is believed no more."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from query_api.live import _events
from query_api.views import ViewReader


class Still(ViewReader):
    """A view in which nothing changes."""

    def __init__(self) -> None:
        pass

    async def changed_after(self, transaction: int, limit: int) -> tuple[Sequence[Mapping[str, Any]], int]:
        return [], transaction


async def everything(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return list(rows)


@pytest.mark.timeout(10)
async def test_it_ends_when_the_token_expires() -> None:
    began = time.time()

    assert [event async for event in _events(Still(), 0, everything, began + 0.3)] == []
    assert time.time() - began >= 0.3
