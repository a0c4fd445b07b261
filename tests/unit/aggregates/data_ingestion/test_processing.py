"""Processing: normalise, profile, compare; one event a step."""

import time
import tracemalloc
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from aggregates.data_ingestion.processing import DECISIONS, POLICIES, hash_of, normalise, profile
from aggregates.scenario import FIRST_ID, Scenario, reaction_of
from schemas.data_ingestion.ingestion import DataIngested
from schemas.data_ingestion.processing import DataNormalised, DataProcessed, DataProfiled, DuplicateFound, ProcessData
from schemas.errors import AlreadyExists

SECOND_ID = UUID("01940000-0000-7000-8000-000000000002")

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)
payloads = st.dictionaries(st.text(max_size=5), json_values, max_size=5)


def process(payload: dict[str, JsonValue], id: UUID = FIRST_ID, partner: str = "acme") -> ProcessData:
    return ProcessData(data_id=id, partner_id=partner, payload=payload)


def test_every_step_is_recorded() -> None:
    scenario = Scenario(DECISIONS).when(process({"name": " Ñandú ", "note": "", "tags": [1, 2.5]}))

    normalised, profiled, processed = scenario.recorded
    assert isinstance(normalised, DataNormalised)
    assert normalised.payload == {"name": "Ñandú", "note": None, "tags": [1, 2.5]}
    assert normalised.changed == ["/name", "/note"]
    assert isinstance(profiled, DataProfiled)
    assert profiled.profile.types == {"/name": "string", "/note": "null", "/tags/0": "integer", "/tags/1": "number"}
    assert (profiled.profile.values, profiled.profile.nulls, profiled.profile.depth) == (4, 1, 2)
    assert isinstance(processed, DataProcessed)
    assert processed.results.profile == profiled.profile
    assert (processed.results.normalised, processed.results.duplicate_of) == (2, None)


def test_the_same_content_is_found_to_be_a_duplicate_of_the_first() -> None:
    scenario = Scenario(DECISIONS).when(process({"a": "x", "b": 1})).when(process({"b": 1, "a": "x "}, SECOND_ID))

    found = [event for event in scenario.recorded if isinstance(event, DuplicateFound)]
    assert [(event.data_id, event.duplicate_of) for event in found] == [(SECOND_ID, FIRST_ID)]
    last = scenario.recorded[-1]
    assert isinstance(last, DataProcessed)
    assert last.results.duplicate_of == FIRST_ID


def test_another_partners_equal_content_is_no_duplicate() -> None:
    scenario = Scenario(DECISIONS).when(process({"a": 1})).when(process({"a": 1}, SECOND_ID, "other"))

    assert not any(isinstance(event, DuplicateFound) for event in scenario.recorded)


def test_a_delivery_is_processed_once() -> None:
    Scenario(DECISIONS).when(process({"a": 1})).when(process({"a": 1})).then_rejected(AlreadyExists)


def test_every_ingested_delivery_is_processed() -> None:
    ingested = DataIngested(data_id=FIRST_ID, partner_id="acme", payload={"x": 1})

    assert reaction_of(POLICIES[0], ingested) == (process({"x": 1}),)


@given(payloads)
def test_the_normal_form_is_normal(payload: dict[str, JsonValue]) -> None:
    normal, _ = normalise(payload)

    assert normalise(normal) == (normal, [])


@given(payloads)
def test_the_hash_does_not_depend_on_the_order_of_members(payload: dict[str, JsonValue]) -> None:
    assert hash_of(dict(reversed(payload.items()))) == hash_of(payload)


def test_a_payload_of_many_values_is_counted_whole_and_listed_in_part() -> None:
    found = profile({"x" * 2000: [None] * 5000})

    assert (found.values, found.nulls, found.depth) == (5000, 5000, 2)
    assert 0 < len(found.types) < 20


def test_an_empty_payload_has_nothing_to_profile() -> None:
    assert profile({}).model_dump() == {"types": {}, "values": 0, "nulls": 0, "depth": 0}


def test_empty_containers_are_values() -> None:
    assert profile({"a": {}, "b": [[]]}).types == {"/a": "object", "/b/0": "array"}


def test_one_long_name_over_many_values_is_processed_in_little_time_and_memory() -> None:
    payload: dict[str, JsonValue] = {"k" * 400_000: [" "] * 100_000}
    tracemalloc.start()
    began = time.thread_time()
    try:
        scenario = Scenario(DECISIONS).when(process(payload))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 64 * 1024 * 1024
    assert time.thread_time() - began < 5
    normalised, profiled, processed = scenario.recorded
    assert isinstance(normalised, DataNormalised)
    assert isinstance(profiled, DataProfiled)
    assert isinstance(processed, DataProcessed)
    assert (normalised.changed, profiled.profile.types) == ([], {}), "a pointer is longer than 32 KiB"
    assert (processed.results.normalised, profiled.profile.nulls) == (100_000, 100_000)


def test_pointers_are_listed_up_to_32_kib_in_all() -> None:
    scenario = Scenario(DECISIONS).when(process({"k" * 1_000: [" "] * 100}))

    normalised, profiled, _ = scenario.recorded
    assert isinstance(normalised, DataNormalised)
    assert isinstance(profiled, DataProfiled)
    assert normalised.changed == list(profiled.profile.types) == [f"/{'k' * 1_000}/{n}" for n in range(32)]
