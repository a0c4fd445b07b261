"""Signed heads: what is signed is verified, and read again as it was written."""

from pathlib import Path

import orjson
import pytest

from schemas.errors import Malformed, Misconfigured
from schemas.system import ContextName
from streams.integrity.signing import SignedHead, Signer, Verifier, key_name, make_keys, read_public_key

INGESTION = ContextName("data_ingestion", "ingestion")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_keys(tmp_path / "private.pem", tmp_path / "public.pem")
    return tmp_path


@pytest.fixture
def head(folder: Path) -> SignedHead:
    return Signer(folder / "private.pem").sign(INGESTION, 7, b"digest", 1)


def test_a_signed_head_is_valid_for_every_holder_of_its_key(folder: Path, head: SignedHead) -> None:
    public = read_public_key(folder / "public.pem")

    assert Verifier.of(public).why_not(head) is None
    assert head.key == key_name(public)
    assert str(Verifier.of().why_not(head)).startswith("its key is not trusted")


def test_a_head_is_read_as_it_was_written(head: SignedHead) -> None:
    assert SignedHead.parse(orjson.dumps(head.as_json())) == head


@pytest.mark.parametrize(
    "change", [{"hash": "x"}, {"signed_at": "2026-01-01T00:00:00"}, {"context": "one"}, {"position": None}]
)
def test_an_invalid_signed_head_is_malformed(head: SignedHead, change: dict[str, object]) -> None:
    with pytest.raises(Malformed):
        SignedHead.parse(orjson.dumps({**head.as_json(), **change}))
    with pytest.raises(Malformed):
        SignedHead.parse(b"[]")


def test_the_private_key_is_readable_only_by_its_owner(folder: Path) -> None:
    assert (folder / "private.pem").stat().st_mode & 0o777 == 0o600


def test_no_key_is_overwritten(folder: Path) -> None:
    with pytest.raises(Misconfigured, match="no key was written"):
        make_keys(folder / "another.pem", folder / "public.pem")
    with pytest.raises(Misconfigured, match="no key was written"):
        make_keys(folder / "private.pem", folder / "another.pem")


def test_a_file_that_is_not_a_key_is_named(folder: Path) -> None:
    (folder / "none.pem").write_text("none")

    with pytest.raises(Misconfigured, match=r"none\.pem"):
        Signer(folder / "none.pem")
    with pytest.raises(Misconfigured, match=r"none\.pem"):
        read_public_key(folder / "none.pem")
