"""One client of a live view: how it falls behind, catches up, and is rewound."""

import pytest

from query_api.live import watcher
from query_api.live.watcher import Chunk, State, Watcher


def chunk(up_to: int) -> Chunk:
    return Chunk([{"n": up_to}], up_to)


async def test_a_new_watcher_is_behind_and_gets_nothing_until_it_collects() -> None:
    new = Watcher(3)
    new.offer(chunk(4))

    assert new.state is State.BEHIND
    new.collect()
    assert await new.take(0.01) is None
    new.offer(chunk(5))
    assert await new.take(0.01) == chunk(5)
    assert (new.state, new.position) == (State.FOLLOWING, 5)


async def test_a_chunk_that_the_watcher_has_read_alone_is_skipped() -> None:
    following = Watcher(0)
    following.collect()
    following.offer(chunk(7))
    following.position = 9

    assert await following.take(0.01) is None
    assert following.position == 9


async def test_a_watcher_whose_queue_is_full_falls_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watcher, "MAX_WAITING", 2)
    slow = Watcher(0)
    slow.collect()
    for up_to in (1, 2, 3):
        slow.offer(chunk(up_to))

    assert slow.state is State.BEHIND
    slow.collect()
    assert (slow.state, slow.position) == (State.FOLLOWING, 0)
    assert await slow.take(0.01) is None, "what was queued is read alone"


@pytest.mark.parametrize("is_behind", [True, False])
def test_a_rewound_watcher_begins_at_the_beginning(is_behind: bool) -> None:
    rewound = Watcher(50)
    if not is_behind:
        rewound.collect()
    rewound.rewind()
    rewound.offer(chunk(20))

    assert rewound.state is State.REWOUND
    rewound.collect()
    assert (rewound.state, rewound.position) == (State.FOLLOWING, 0)
