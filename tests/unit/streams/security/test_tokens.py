"""Tokens: those of this deployment are valid, and none that is forged in a known way."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from joserfc import jwt

from schemas.access import Access, Caller
from schemas.errors import Misconfigured, Unauthenticated
from streams.security.token_keys import TokenKeys, add_token_key, retire_token_key
from streams.security.tokens import TokenIssuer, TokenVerifier
from streams.settings import Settings
from tests.forged import FORGED, signed_by_hand, with_claims, with_header


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    add_token_key(tmp_path / "tokens")
    return tmp_path / "tokens"


@pytest.fixture
def settings(folder: Path) -> Settings:
    return Settings(token_keys=folder)


async def test_a_token_names_its_caller(settings: Settings) -> None:
    token = TokenIssuer(settings).issue("maria", ["clinician"], ["results:write"])

    caller = await TokenVerifier(settings).caller(token.text)

    assert caller == Caller("maria", frozenset({"clinician"}), frozenset({"results:write"}))
    assert token.expires_in == 3600


async def test_a_token_is_valid_until_its_key_is_retired(settings: Settings, folder: Path) -> None:
    verifier, issuer = TokenVerifier(settings), TokenIssuer(settings)
    old = issuer.issue("maria")
    first = TokenKeys(folder).newest().kid
    await asyncio.sleep(1.05)
    second = add_token_key(folder)
    new = TokenIssuer(settings).issue("maria")

    assert jwt.decode(new.text, TokenKeys(folder).newest(), algorithms=["Ed25519"]).header["kid"] == second
    assert (await verifier.caller(old.text)).subject == (await verifier.caller(new.text)).subject == "maria"
    assert first is not None
    retire_token_key(folder, first)
    await asyncio.sleep(1.05)
    with pytest.raises(Unauthenticated, match="key is not known"):
        await verifier.caller(old.text)


@pytest.mark.parametrize("name", FORGED)
@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
async def test_a_forged_token_is_not_valid(settings: Settings, folder: Path, name: str) -> None:
    with pytest.raises(Unauthenticated):
        await TokenVerifier(settings).caller(FORGED[name](TokenKeys(folder)))


@pytest.mark.parametrize("make", [with_claims(), with_header(), signed_by_hand])
async def test_the_originals_of_forged_tokens_are_valid(
    settings: Settings, folder: Path, make: Callable[[TokenKeys], str]
) -> None:
    assert (await TokenVerifier(settings).caller(make(TokenKeys(folder)))).subject == "mallory"


async def test_a_key_that_cannot_be_read_is_skipped_if_there_are_others(settings: Settings, folder: Path) -> None:
    verifier, token = TokenVerifier(settings), TokenIssuer(settings).issue("maria").text
    await verifier.caller(token)
    (folder / "half.json").write_text('{"kty": "OKP", ')
    await asyncio.sleep(1.05)

    assert (await verifier.caller(token)).subject == "maria"
    assert (await TokenVerifier(settings).caller(token)).subject == "maria"
    retire_token_key(folder, str(TokenKeys(folder).newest().kid))
    with pytest.raises(Misconfigured, match="is not a JSON Web Key"):
        await TokenVerifier(settings).caller(token)


def test_a_folder_without_a_key_issues_no_token(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="no key to sign"):
        TokenIssuer(Settings(token_keys=tmp_path)).issue("maria")
    with pytest.raises(Misconfigured, match="no tokens are issued"):
        TokenIssuer(Settings()).issue("maria")


def test_an_error_names_the_roles_that_a_caller_lacks() -> None:
    maria = Caller("maria", frozenset({"clinician"}), frozenset({"read"}))

    assert Access().why_not(maria) is None
    assert Access.to("clinician", "auditor", scopes=["read"]).why_not(maria) is None
    assert Access.to("auditor").why_not(maria) == "a token with one of the roles auditor"
    assert Access.to("clinician", scopes=["write"]).why_not(maria) == "a token with the scopes write"


@pytest.mark.parametrize("subject", ["", "x" * 201, "a\nb"])
async def test_a_subject_that_cannot_be_recorded_is_not_valid(settings: Settings, subject: str) -> None:
    with pytest.raises(Unauthenticated):
        await TokenVerifier(settings).caller(TokenIssuer(settings).issue(subject).text)
