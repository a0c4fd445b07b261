"""Access control: the settings give access only to what is installed."""

import pytest

from schemas.access import Access
from schemas.errors import Misconfigured
from streams.database.pools import Databases
from streams.discovery import installed_catalog
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
