"""The checks that need no server: keys, their files, and access."""

from pathlib import Path
from typing import Any

import pytest

from deploy.operations.doctor import checks
from deploy.operations.doctor.checks import Check, Examined, examined
from deploy.operations.installation import OpenInstallation
from schemas.errors import Unavailable
from streams.encryption.encryption import add_master_key
from streams.integrity.signing import make_keys
from streams.settings import Settings


def installation(**settings: Any) -> OpenInstallation:
    return OpenInstallation(Settings(systems=["data_ingestion"], **settings))


async def keys(**settings: Any) -> dict[str, Examined]:
    return {one.part: one for one in await checks._keys(installation(**settings))}


async def test_keys_that_are_missing_are_named_with_the_command_that_makes_them() -> None:
    found = await keys()

    assert {one.state for one in found.values()} == {"attention"}
    assert "caudal signing-key" in found["signing key"].advice
    assert "caudal token-keys add" in found["token keys"].advice
    assert "caudal master-keys add" in found["master keys"].found


async def test_keys_that_others_can_read_are_named(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    folder.mkdir(mode=0o755)
    make_keys(folder / "signing.pem", folder / "public.pem")
    add_master_key(folder / "master.keys", "one")
    (folder / "signing.pem").chmod(0o640)
    settings = {"signing_key": str(folder / "signing.pem"), "master_key_file": folder / "master.keys"}

    found = await keys(**settings)
    assert (found["signing key"].state, found["master keys"].state) == ("attention", "good")
    assert found["signing key"].advice == f"chmod go= {folder / 'signing.pem'}"

    folder.chmod(0o700)
    assert (await keys(**settings))["signing key"].state == "good", "nobody else can enter the folder"


async def test_a_key_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "signing.pem").write_text("no key")

    found = await keys(signing_key=str(tmp_path / "signing.pem"), master_key_file=tmp_path / "none")

    assert "no private key" in found["signing key"].found
    assert "cannot be read" in found["master keys"].found


async def test_tokens_of_another_issuer_need_no_key() -> None:
    assert (await keys(oidc_issuer="https://id.example.org"))["token keys"].state == "good"


async def test_an_open_profile_outside_a_local_stack_is_named() -> None:
    (closed,), (opened,) = await checks._access(installation()), await checks._access(installation(profile="seed"))

    assert (closed.state, opened.state) == ("good", "attention")


async def test_a_check_that_cannot_look_says_why_and_one_cause_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(_: OpenInstallation) -> list[Examined]:
        raise Unavailable("the database is out of reach")

    async def succeed(_: OpenInstallation) -> list[Examined]:
        return [Examined("broker", "good", "It answers.")]

    monkeypatch.setattr(checks, "CHECKS", (Check("databases", fail), Check("migrations", fail), Check("broker", succeed)))

    assert await examined(installation()) == [
        Examined("databases", "down", "the database is out of reach"),
        Examined("broker", "good", "It answers."),
    ]


async def test_servers_that_are_away_are_faults() -> None:
    found = await examined(installation(write_dsn="postgresql://127.0.0.1:1/x", brokers="127.0.0.1:1"))

    assert {one.part for one in found if one.state == "down"} == {"databases", "broker"}
