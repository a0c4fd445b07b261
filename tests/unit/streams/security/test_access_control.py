"""Access control: the settings give access only to what is installed."""

from contextlib import nullcontext
from typing import Literal

import pytest

from schemas.access import Access
from schemas.errors import Misconfigured, Unauthenticated
from streams.database.pools import Databases
from streams.discovery import installed_catalog
from streams.http.request_context import RequestContext
from streams.installation import Installation
from streams.security.access_control import AccessControl
from streams.settings import Settings

NAMES = ("command:data_ingestion.receive-data", "view:data_ingestion.records", "audit:data_ingestion.ingestion")


def test_access_is_given_to_installed_commands_views_and_logs() -> None:
    catalog, databases = installed_catalog(["data_ingestion"]), Databases(None, 1)

    AccessControl(Installation(Settings(access={name: Access.to("reader") for name in NAMES}), catalog, databases))
    for name in ("data_ingestion.records", "view:data_ingestion.ingestion", "command:clinical_lab.create-user"):
        with pytest.raises(Misconfigured, match=name):
            AccessControl(Installation(Settings(access={name: Access()}), catalog, databases))


@pytest.mark.parametrize(
    ("profile", "access", "needs_token"),
    [
        ("closed", {}, True),
        ("seed", {}, False),
        ("closed", {NAMES[0]: None}, False),
        ("seed", {NAMES[0]: Access()}, True),
    ],
)
def test_what_declares_no_access_needs_a_token_unless_it_is_opened(
    profile: Literal["closed", "seed"], access: dict[str, Access | None], needs_token: bool
) -> None:
    catalog, databases = installed_catalog(["data_ingestion"]), Databases(None, 1)
    control = AccessControl(Installation(Settings(profile=profile, access=access), catalog, databases))

    with pytest.raises(Unauthenticated) if needs_token else nullcontext():
        control.authorize(RequestContext("c", {}, "POST", "1.1.1.1"), "command", "data_ingestion.receive-data", None)
    assert control.effective("command", "data_ingestion.other", Access.to("a")) == Access.to("a")


@pytest.mark.parametrize("profile", ["closed", "seed"])
def test_access_that_is_open_in_the_profile_seed_is_needed_in_any_other(profile: Literal["closed", "seed"]) -> None:
    catalog, databases = installed_catalog(["data_ingestion"]), Databases(None, 1)
    declared, overriding = Access.to("clerk", open_in_seed=True), Access.to("chief")
    control = AccessControl(Installation(Settings(profile=profile, access={NAMES[1]: overriding}), catalog, databases))

    assert control.effective("command", "data_ingestion.receive-data", declared) == (None if profile == "seed" else declared)
    assert control.effective("view", "data_ingestion.records", declared) == overriding
