"""Sentences about logs that are not relayed."""

import pytest

from streams.relay.unrelayed import unrelayed


@pytest.mark.parametrize(
    ("names", "of", "said"),
    [
        (["a", "b"], 2, "none of 2 logs is relayed"),
        (["a", "b"], 12, "2 of 12 logs are not relayed: a, b"),
        (["a"], 12, "1 of 12 logs is not relayed: a"),
        (["a"], 1, "1 of 1 logs is not relayed: a"),
    ],
)
def test_logs_are_named_only_if_others_are_relayed(names: list[str], of: int, said: str) -> None:
    assert unrelayed(names, of) == said
