"""Erasure: the key of a data subject is destroyed before that is recorded."""

import pytest

from command_api.engine.privacy import erase
from schemas.engine.privacy import EraseSubject, RecordErasure
from schemas.errors import Rejected
from tests.unit.command_api.activity_context import Keys, context_of, sent


@pytest.mark.parametrize("command", [EraseSubject(subject="ana"), EraseSubject(subject="new", in_advance=True)])
async def test_a_subjects_key_is_destroyed(command: EraseSubject) -> None:
    keys = Keys("ana")

    assert await erase(sent(command), context_of(keys)) == RecordErasure(subject=command.subject)
    assert keys.erased == [command.subject]


async def test_a_subject_without_a_key_is_not_erased_by_mistake() -> None:
    keys = Keys("ana")

    with pytest.raises(Rejected, match="set in_advance"):
        await erase(sent(EraseSubject(subject="anna")), context_of(keys))
    assert keys.erased == []
