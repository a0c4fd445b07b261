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


async def test_a_database_out_of_reach_is_named_with_its_setting(tmp_path: Path) -> None:
    environment = {"CAUDAL_WRITE_DSN": "postgresql://caudal:secret@127.0.0.1:1/x"}
    for command in (("migrate",), ("status",), ("verify", "log")):
        code, out, err = await caudal(*command, "--data-dir", str(tmp_path), environment=environment)

        assert (code, "Traceback" in err) == (2 if command == ("status",) else 1, False)
        assert "PostgreSQL is out of reach: 127.0.0.1:1, named by CAUDAL_WRITE_DSN" in out + err
        assert "secret" not in out + err


async def test_without_a_stack_and_a_database_it_says_how_to_name_one(tmp_path: Path) -> None:
    for command, expected in ((("status",), 2), (("sagas", "list"), 1)):
        code, _, err = await caudal(*command, "--data-dir", str(tmp_path))

        assert (code, "start one with `caudal up`, or name a database in CAUDAL_WRITE_DSN" in err) == (expected, True), err


async def test_a_system_that_is_not_installed_is_answered_with_those_that_are() -> None:
    code, _, err = await caudal("up", "--ephemeral", "--ports", "auto", environment={"CAUDAL_SYSTEMS": "bnk"})

    assert code == 1
    assert "CAUDAL_SYSTEMS names bnk, which is not installed; installed are clinical_lab, data_ingestion" in err


async def test_each_topic_gets_a_page(tmp_path: Path) -> None:
    code, out, err = await caudal("topic-docs", str(tmp_path / "pages"))

    assert code == 0, err
    events = tmp_path / "pages" / "caudal.data_ingestion.ingestion.events.md"
    assert str(events) in out.splitlines()
    assert "## DataReceived" in events.read_text()
    assert len(out.splitlines()) == len(list((tmp_path / "pages").iterdir()))
