"""Tokens and keys on the command line: what they say, and what they change."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.cli import app
from streams.security.token_keys import TokenKeys


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "tokens"
    result = CliRunner().invoke(app, ["token-keys", "add", str(folder)])
    assert (result.exit_code, f"CAUDAL_TOKEN_KEYS={folder}" in result.stderr) == (0, True)
    monkeypatch.setenv("CAUDAL_TOKEN_KEYS", str(folder))
    return folder


@pytest.mark.usefixtures("folder")
def test_a_token_says_when_it_expires_and_which_roles_it_lacks() -> None:
    result = CliRunner().invoke(app, ["token", "bob"])

    assert result.exit_code == 0
    assert result.stdout.count(".") == 2, "the token alone, for scripts"
    assert "The token has no role. Add one with --role; known roles: auditor" in result.stderr
    assert "Expires in 3600 s" in result.stderr


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("option", "why"),
    [
        ("--role", "no permission mentions the role nobody; known roles: auditor, clinician"),
        ("--scope", "no permission mentions the scope nobody; known scopes: none"),
    ],
)
def test_what_no_permission_mentions_is_rejected(option: str, why: str) -> None:
    result = CliRunner().invoke(app, ["token", "bob", "--role", "auditor", option, "nobody"])

    assert (result.exit_code, result.stdout) == (1, "")
    assert why in result.stderr


@pytest.mark.usefixtures("folder")
def test_a_role_and_a_scope_that_the_settings_mention_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    access = '{"command:data_ingestion.receive-data": {"roles": ["courier"], "scopes": ["deliver"]}}'
    monkeypatch.setenv("CAUDAL_ACCESS", access)

    result = CliRunner().invoke(app, ["token", "bob", "--role", "courier", "--scope", "deliver"])

    assert (result.exit_code, result.stdout.count(".")) == (0, 2), result.stderr


def test_a_key_is_retired_with_apply_alone(folder: Path) -> None:
    name = str(TokenKeys(folder).newest().kid)
    CliRunner().invoke(app, ["token-keys", "add", str(folder)])

    dry = CliRunner().invoke(app, ["token-keys", "retire", str(folder), name])
    assert (dry.exit_code, "Nothing was changed" in dry.stdout, (folder / f"{name}.json").exists()) == (0, True, True)

    done = CliRunner().invoke(app, ["token-keys", "retire", str(folder), name, "--apply"])
    assert (done.exit_code, (folder / f"{name}.json").exists()) == (0, False)


def test_a_signing_key_says_what_to_do_next(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["signing-key", str(tmp_path)])

    assert result.stdout.split() == [str(tmp_path / "signing.pem"), str(tmp_path / "public.pem")]
    assert f"set CAUDAL_SIGNING_KEY={tmp_path / 'signing.pem'}" in result.stderr
