"""Access: what a caller needs, and what it lacks."""

import pytest

from schemas.access import Access, Caller

NOBODY = Caller("nobody")
NURSE = Caller("ana", roles=frozenset({"nurse"}), scopes=frozenset({"read"}))


@pytest.mark.parametrize("access", [Access(), Access.to("nurse"), Access.to("doctor", "nurse"), Access.to(scopes=["read"])])
def test_one_of_the_roles_and_every_scope_are_enough(access: Access) -> None:
    assert access.why_not(NURSE) is None


@pytest.mark.parametrize(
    ("access", "why"),
    [
        (Access.to("surgeon", "doctor"), "a token with one of the roles doctor, surgeon"),
        (Access.to("nurse", scopes=["write", "read", "erase"]), "a token with the scopes erase, write"),
        (Access.to("doctor", scopes=["write"]), "a token with one of the roles doctor"),
    ],
)
def test_what_a_caller_lacks_is_named(access: Access, why: str) -> None:
    assert access.why_not(NURSE) == why


def test_a_caller_without_roles_passes_only_if_none_is_needed() -> None:
    assert Access().why_not(NOBODY) is None
    assert Access.to("nurse").why_not(NOBODY) is not None


def test_a_caller_is_the_same_after_its_token_is_renewed() -> None:
    assert Caller("ana", expires_at=1.0) == Caller("ana", expires_at=2.0)
