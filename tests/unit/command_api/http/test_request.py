"""The envelope of a request's command: who sends it, and in which trace."""

from uuid import UUID

import pytest

from command_api.http.request import envelope_of
from schemas.access import Caller
from schemas.data_ingestion.ingestion import ReceiveData
from schemas.errors import Malformed
from streams.http.request_context import RequestContext

COMMAND, ID = ReceiveData(partner_id="a", payload={}), UUID(int=1)
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def context(caller: Caller | None = None, **headers: str) -> RequestContext:
    named = {name.replace("_", "-").encode(): value for name, value in headers.items()}
    return RequestContext("c-1", named, "POST", "127.0.0.1", caller)


def test_an_envelope_has_the_requests_correlation_and_no_cause() -> None:
    envelope = envelope_of(context(), COMMAND, ID)

    assert (envelope.id, envelope.data, envelope.correlation_id) == (ID, COMMAND, "c-1")
    assert (envelope.actor, envelope.causation_id, envelope.traceparent) == (None, None, None)
    assert envelope.at.tzinfo is not None


def test_the_token_names_the_actor_and_not_the_header() -> None:
    caller = Caller("maria", frozenset(), frozenset())

    assert envelope_of(context(caller, x_actor="eva"), COMMAND, ID).actor == "maria"
    assert envelope_of(context(x_actor="eva"), COMMAND, ID).actor == "eva"


@pytest.mark.parametrize("actor", ["", "two words", "x" * 201, "ñ", "a\n"])
def test_an_actor_that_no_log_should_hold_is_rejected(actor: str) -> None:
    with pytest.raises(Malformed, match="X-Actor must be 1 to 200 visible ASCII characters"):
        envelope_of(context(x_actor=actor), COMMAND, ID)
    with pytest.raises(Malformed, match="X-Actor must be 1 to 200 visible ASCII characters"):
        envelope_of(context(Caller("maria", frozenset(), frozenset()), x_actor=actor), COMMAND, ID)


@pytest.mark.parametrize(("given", "kept"), [(TRACE, TRACE), ("nonsense", None), ("00-" + "0" * 32 + "-1-01", None)])
def test_a_trace_context_is_kept_if_it_is_one(given: str, kept: str | None) -> None:
    assert envelope_of(context(traceparent=given), COMMAND, ID).traceparent == kept
