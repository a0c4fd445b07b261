"""Idempotency: ids of commands, and the fingerprints that distinguish commands of one id."""

from uuid import UUID

import pytest

from aggregates.scenario import FIRST_ID
from command_api.handling.idempotency import Idempotency, command_id, fingerprint
from command_api.handling.request import NO_FINGERPRINT, CommandRequest
from schemas.data_ingestion.ingestion import ReceiveData
from schemas.errors import InProgress, Malformed
from schemas.expected_version import ANY_VERSION
from schemas.system import ContextName
from streams.log.memory import MemoryLog
from tests.unit.command_api.activity_context import sent

INGESTION, OTHER = ContextName("data_ingestion", "ingestion"), ContextName("data_ingestion", "validation")
DATA = ReceiveData(partner_id="acme", payload={"a": 1, "b": 2})
REQUEST = CommandRequest(INGESTION, sent(DATA), ANY_VERSION)


def test_a_key_has_one_id_in_each_context() -> None:
    assert command_id(INGESTION, "key") == command_id(INGESTION, "key")
    assert len({command_id(INGESTION, "key"), command_id(INGESTION, "kez"), command_id(OTHER, "key")}) == 3


def test_an_id_is_the_given_one_or_a_new_one() -> None:
    assert command_id(INGESTION, None, str(FIRST_ID)) == FIRST_ID
    assert command_id(INGESTION, None) != command_id(INGESTION, None)


@pytest.mark.parametrize(
    ("key", "given"),
    [
        ("key", str(FIRST_ID)),
        ("", None),
        ("a b", None),
        ("ñ", None),
        ("x" * 201, None),
        (None, "no-id"),
        (None, FIRST_ID.hex),
        (None, f"{{{FIRST_ID}}}"),
        (None, str(FIRST_ID).replace("-7", "_7")),
    ],
)
def test_an_id_that_cannot_be_read_is_malformed(key: str | None, given: str | None) -> None:
    with pytest.raises(Malformed):
        command_id(INGESTION, key, given)


def test_equal_commands_have_one_fingerprint_in_any_order_of_their_members() -> None:
    assert fingerprint(DATA) == fingerprint(ReceiveData(partner_id="acme", payload={"b": 2, "a": 1}))
    assert fingerprint(DATA) != fingerprint(ReceiveData(partner_id="acme", payload={"b": 2, "a": 2}))


async def test_an_id_is_claimed_once_at_a_time() -> None:
    idempotency = Idempotency({INGESTION: MemoryLog(INGESTION)})

    with idempotency.claimed(REQUEST), pytest.raises(InProgress), idempotency.claimed(REQUEST):
        pass
    with idempotency.claimed(REQUEST):
        assert await idempotency.first_answer(REQUEST) is None


def test_a_request_is_decided_as_other_data_under_its_id() -> None:
    other = REQUEST.decided_as(ReceiveData(partner_id="other", payload={}))

    assert (other.command.id, other.command.correlation_id, other.fingerprint) == (FIRST_ID, "c", NO_FINGERPRINT)
    assert isinstance(other.command.id, UUID)
    assert other.command.data == ReceiveData(partner_id="other", payload={})
