"""Traces without an endpoint: nothing is made, and a parent is passed on."""

import pytest

from streams.telemetry import tracing
from streams.telemetry.tracing import configure_tracing, current_trace_id, current_traceparent, note_events, traced

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_without_an_endpoint_nothing_is_traced(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in tracing._ENDPOINTS:
        monkeypatch.delenv(name, raising=False)

    configure_tracing("test", "one")

    assert (current_traceparent(), current_trace_id()) == (None, None)


def test_without_an_endpoint_a_parent_is_passed_on() -> None:
    with traced("work", PARENT) as passed:
        assert passed == PARENT
    note_events("publish", [], 0, "publish")
