"""The logins of the local stack's PostgreSQL: passwords in a private file, which DSNs name."""

import os
import stat
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from deploy.local.servers.logins import ACCESS, ADMIN, ROLES, SUPERUSER, Logins, new_passwords, statements
from deploy.local.stack import SERVICES


def test_passwords_are_in_a_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    logins, before = Logins(tmp_path / "a b" / "pgpass"), os.umask(0)
    (tmp_path / "a b").mkdir()
    try:
        assert not logins.exist
        logins.write({"admin": "one"})
        logins.write({"admin": "two", "relay": "three"})
    finally:
        os.umask(before)

    file = Path(parse_qs(urlsplit(logins.dsn(ADMIN, 5)).query)["passfile"][0])
    assert logins.exist
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text() == "127.0.0.1:*:*:admin:two\n127.0.0.1:*:*:relay:three\n"
    assert [path.name for path in file.parent.iterdir()] == ["pgpass"]


def test_a_dsn_holds_no_password(tmp_path: Path) -> None:
    assert Logins(Path("/a b/pgpass")).dsn("query-api", 5) == "postgresql://query-api@127.0.0.1:5/caudal?passfile=/a%20b/pgpass"


def test_each_process_has_a_login_with_one_role() -> None:
    assert {name for name in ROLES if name != ADMIN} == set(SERVICES) - {"operations"}, "that one is the operator's"
    assert {roles for name, roles in ROLES.items() if name != ADMIN} == {
        ("caudal_writer",),
        ("caudal_projector",),
        ("caudal_reader",),
    }
    assert SUPERUSER not in ROLES


def test_passwords_cannot_be_guessed_and_are_none_of_the_access_rules() -> None:
    passwords = new_passwords()

    assert len(set(passwords.values())) == len(ROLES)
    assert min(map(len, passwords.values())) >= 43, "256 bits"
    assert all(password in statements(passwords) for password in passwords.values())
    assert "trust" not in ACCESS
