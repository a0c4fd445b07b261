"""The cache: as many states as a number of bytes holds."""

from aggregates.state import State
from command_api.handling.cache import CachedState, StateCache, size_of
from schemas.system import ContextName

HERE, THERE = ContextName("bank", "accounts"), ContextName("bank", "loans")


class Notes(State):
    texts: tuple[str, ...] = ()


def notes(length: int = 0, version: int = 1) -> CachedState:
    return CachedState(version, Notes(texts=("x" * length,)), 0)


def test_a_state_is_returned_as_it_was_put() -> None:
    cache, state = StateCache(1_000_000), notes()

    cache.put(HERE, "notes-a", state)

    assert cache.get(HERE, "notes-a") is state
    assert cache.get(THERE, "notes-a") is None


def test_the_least_recently_used_states_are_dropped() -> None:
    cache = StateCache(40_000)
    for key in ("a", "b", "c"):
        cache.put(HERE, f"notes-{key}", notes(10_000))
    cache.get(HERE, "notes-a")

    cache.put(HERE, "notes-d", notes(10_000))

    assert [key for key in "abcd" if cache.get(HERE, f"notes-{key}")] == ["a", "c", "d"]


def test_events_count_at_once() -> None:
    cache = StateCache(100_000)
    cache.put(HERE, "notes-b", notes())
    cache.put(HERE, "notes-a", notes())
    texts: tuple[str, ...] = ()
    for n in range(10):
        texts = (*texts, f"{n}" + "x" * 20_000)
        cache.put(HERE, "notes-a", CachedState(n + 2, Notes(texts=texts), 0), 20_000)

    assert cache.get(HERE, "notes-b") is None
    newest = cache.get(HERE, "notes-a")
    assert newest is not None
    assert newest.state == Notes(texts=texts)


def test_a_state_that_is_used_for_ever_but_does_not_grow_stays_small() -> None:
    cache, hot = StateCache(1_000_000), notes()
    cache.put(HERE, "notes-other", notes())
    cache.put(HERE, "notes-hot", hot)

    for _ in range(100_000):
        cache.put(HERE, "notes-hot", hot, 250)

    assert cache.get(HERE, "notes-other") is not None


def test_the_state_in_use_stays_however_large() -> None:
    cache, large = StateCache(1000), notes(50_000)

    cache.put(HERE, "notes-a", large)

    assert cache.get(HERE, "notes-a") is large


def test_an_evicted_state_is_gone_and_takes_no_room() -> None:
    cache, first, second = StateCache(25_000), notes(20_000), notes(20_000)
    cache.put(HERE, "notes-a", first)
    cache.evict(THERE, "notes-a")
    assert cache.get(HERE, "notes-a") is first

    cache.evict(HERE, "notes-a")
    cache.put(HERE, "notes-b", second)

    assert cache.get(HERE, "notes-a") is None
    assert cache.get(HERE, "notes-b") is second


def test_weighing_counts_everything_once_and_no_classes() -> None:
    text = "x" * 10_000

    assert 10_000 < size_of([text, text]) < 11_000
    assert size_of(notes().state) < 3000
