"""Keys of tokens: files in a folder, of which the newest signs."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
from joserfc.jwk import OKPKey

from schemas.errors import Misconfigured
from streams.security import token_keys
from streams.security.token_keys import CURVE, TokenKeys, add_token_key, retire_token_key


@pytest.fixture(autouse=True)
def _read_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_keys, "_READ_AGAIN_SECONDS", 0.0)


def test_a_key_is_readable_only_by_its_owner(tmp_path: Path) -> None:
    kid = add_token_key(tmp_path / "keys")

    assert (tmp_path / "keys" / f"{kid}.json").stat().st_mode & 0o777 == 0o600


def test_keys_are_added_and_retired_while_a_process_runs(tmp_path: Path) -> None:
    keys = TokenKeys(tmp_path)
    first, second = add_token_key(tmp_path), add_token_key(tmp_path)
    assert keys.newest().kid == max(first, second)
    assert [key["kid"] for key in keys.public()["keys"]] == sorted((first, second))  # type: ignore[attr-defined]
    assert all("d" not in key for key in keys.public()["keys"])  # type: ignore[attr-defined]

    retire_token_key(tmp_path, second)

    assert (keys.named(second), keys.newest().kid) == (None, first)


def test_a_key_that_is_added_after_the_clock_was_set_back_signs(tmp_path: Path) -> None:
    ahead = f"{datetime.now(UTC) + timedelta(days=90):%Y%m%dT%H%M%S}-00000000"
    key = OKPKey.generate_key(CURVE, {"kid": ahead, "use": "sig", "alg": CURVE})
    (tmp_path / f"{ahead}.json").write_bytes(orjson.dumps(key.as_dict(private=True)))

    added = [add_token_key(tmp_path) for _ in range(3)]

    assert added == sorted(added)
    assert TokenKeys(tmp_path).newest().kid == added[-1]


def test_a_key_that_is_half_written_does_not_stop_the_others(tmp_path: Path) -> None:
    keys, kid = TokenKeys(tmp_path), add_token_key(tmp_path)
    (tmp_path / "9.json").write_text("{")

    assert keys.newest().kid == kid


def test_a_folder_without_a_key_and_a_key_that_is_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="caudal token-keys add"):
        TokenKeys(tmp_path).newest()
    with pytest.raises(Misconfigured, match="holds no key k"):
        retire_token_key(tmp_path, "k")
    assert TokenKeys(tmp_path).public() == {"keys": []}
