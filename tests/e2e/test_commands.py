"""Commands of the command line that need no stack."""

import stat
from pathlib import Path

from streams.integrity.signing import Signer, key_name, read_public_key
from tests.stack import caudal


async def test_a_pair_of_keys_is_made_once(tmp_path: Path) -> None:
    folder = tmp_path / "keys"

    code, out, _ = await caudal("signing-key", str(folder))
    again, _, err = await caudal("signing-key", str(folder))
    left, _, _ = await caudal("signing-key", str(folder), "--unless-there")

    private, public = folder / "signing.pem", folder / "public.pem"
    assert (code, out.split()) == (0, [str(private), str(public)])
    assert (again, "no key was written" in err, left) == (1, True, 0)
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert key_name(Signer(private).public) == key_name(read_public_key(public))


async def test_the_shapes_of_the_installed_systems_are_recorded_and_fit() -> None:
    for command in ("check", "record"):
        code, out, err = await caudal("schemas", command)

        assert (code, "every recorded shape can be read" in out) == (0, True), out + err
