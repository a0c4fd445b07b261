"""Sagas: the names of their streams."""

import pytest

from schemas.engine.sagas import ENDED, saga_of, stream_of


@pytest.mark.parametrize("saga_id", ["4711", "a-b", "saga-1"])
def test_a_sagas_stream_leads_back_to_the_saga(saga_id: str) -> None:
    assert stream_of(saga_id) == f"saga-{saga_id}"
    assert saga_of(stream_of(saga_id)) == saga_id


def test_a_saga_in_review_or_under_compensation_has_not_ended() -> None:
    assert {"running", "in_review", "compensating"}.isdisjoint(ENDED)
