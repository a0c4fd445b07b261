"""TLS to PostgreSQL: certificates are checked as the DSN says, and no connection that should be encrypted is a plain one."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from deploy.local.servers.postgres import EmbeddedPostgres
from schemas.errors import CaudalError, Misconfigured, Unavailable
from streams.database.pools import Databases, Role
from streams.relay.wakeup import CHANNEL, listen
from tests.authority import Authority
from tests.conftest import FreshDatabase, eventually
from tests.databases import with_password
from tests.stack import caudal
from tests.tls_proxy import TlsProxy

ROLES: tuple[Role, ...] = ("caudal_owner", "caudal_writer", "caudal_projector", "caudal_reader")


@pytest.fixture(scope="module")
def authority(folder: Path) -> Authority:
    return Authority(folder / "postgres-keys")


@pytest.fixture(scope="module")
def other(folder: Path) -> Authority:
    return Authority(folder / "postgres-keys", "other")


@pytest.fixture
async def proxy(postgres: EmbeddedPostgres, authority: Authority) -> AsyncIterator[TlsProxy]:
    """A PostgreSQL whose certificate is valid for 127.0.0.1."""
    made = TlsProxy(port_of(postgres), authority)
    async with made.running():
        yield made


def port_of(postgres: EmbeddedPostgres) -> int:
    port = urlsplit(postgres.dsn).port
    assert port is not None
    return port


def dsn_at(dsn: str, *hosts: str, **parameters: object) -> str:
    """Returns a DSN of the same database at other hosts, with its password and with parameters."""
    url = urlsplit(with_password(dsn))
    netloc = f"{url.netloc.rpartition('@')[0]}@{','.join(hosts)}"
    return url._replace(netloc=netloc, query="&".join(f"{name}={value}" for name, value in parameters.items())).geturl()


async def connect(dsn: str, role: Role | None = None) -> None:
    databases = Databases(role, 1)
    try:
        async with databases.connection(dsn) as connection:
            await connection.execute("select")
    finally:
        await databases.close()


async def rejected(dsn: str, kind: type[CaudalError]) -> str:
    """Returns why a pool cannot be opened; the reason holds no password."""
    with pytest.raises(kind) as caught:
        await connect(dsn)
    assert str(urlsplit(dsn).password) not in caught.value.detail
    return caught.value.detail


async def test_a_database_with_tls_is_migrated_and_used_in_every_role(
    fresh_database: FreshDatabase, proxy: TlsProxy, authority: Authority
) -> None:
    here = f"127.0.0.1:{proxy.port}"
    checked = dsn_at(await fresh_database.empty(), here, sslmode="verify-full", sslrootcert=authority.file)
    environment = {"CAUDAL_SYSTEMS": "data_ingestion", "CAUDAL_WRITE_DSN": checked, "CAUDAL_READ_DSN": checked}

    code, out, err = await caudal("migrate", environment=environment)

    assert code == 0, out + err
    for role in ROLES:
        await connect(checked, role)
    await connect(dsn_at(fresh_database.dsn, here, sslmode="require"))


async def test_a_relay_is_woken_over_tls(fresh_database: FreshDatabase, proxy: TlsProxy, authority: Authority) -> None:
    here = f"127.0.0.1:{proxy.port}"
    dsn = dsn_at(await fresh_database.empty(), here, sslmode="verify-full", sslrootcert=authority.file)
    woken: list[str] = []
    listening = asyncio.create_task(listen(dsn, woken.append))
    databases = Databases(None, 1)

    async def heard() -> bool:
        async with databases.connection(dsn) as connection:
            await connection.execute("select pg_notify($1, 'some_log')", CHANNEL)
        return "some_log" in woken

    await eventually(heard)
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    await databases.close()


async def test_a_client_shows_its_certificate(postgres: EmbeddedPostgres, authority: Authority, other: Authority) -> None:
    mutual = TlsProxy(port_of(postgres), authority, asks_for_certificate=True)
    async with mutual.running():
        here, files = f"127.0.0.1:{mutual.port}", {"sslmode": "verify-full", "sslrootcert": authority.file}
        right, wrong = authority.certificate("client"), other.certificate("stranger")

        await connect(dsn_at(postgres.dsn, here, **files, sslcert=right, sslkey=right))
        await rejected(dsn_at(postgres.dsn, here, **files, sslcert=wrong, sslkey=wrong), Unavailable)
        await rejected(dsn_at(postgres.dsn, here, **files), Unavailable)


async def test_an_authority_that_did_not_sign_the_certificate_is_an_outage(
    postgres: EmbeddedPostgres, proxy: TlsProxy, other: Authority
) -> None:
    here = f"127.0.0.1:{proxy.port}"

    why = await rejected(dsn_at(postgres.dsn, here, sslmode="verify-full", sslrootcert=other.file), Unavailable)

    assert f"{here}, named by CAUDAL_WRITE_DSN or another DSN: the server's certificate is not accepted" in why
    assert "check the host and sslrootcert of the DSN" in why


async def test_a_certificate_of_another_host_is_an_outage(
    postgres: EmbeddedPostgres, proxy: TlsProxy, authority: Authority
) -> None:
    here = f"localhost:{proxy.port}"

    why = await rejected(dsn_at(postgres.dsn, here, sslmode="verify-full", sslrootcert=authority.file), Unavailable)

    assert "'localhost'" in why
    assert "the server's certificate is not accepted" in why
    await connect(dsn_at(postgres.dsn, here, sslmode="verify-ca", sslrootcert=authority.file))


@pytest.mark.parametrize("mode", ["require", "verify-ca", "verify-full"])
async def test_a_server_without_tls_is_an_outage(postgres: EmbeddedPostgres, authority: Authority, mode: str) -> None:
    dsn = dsn_at(postgres.dsn, f"127.0.0.1:{port_of(postgres)}", sslmode=mode, sslrootcert=authority.file)

    assert "the server does not offer TLS, which sslmode in the DSN demands" in await rejected(dsn, Unavailable)


async def test_of_several_hosts_one_with_an_accepted_certificate_is_used(
    postgres: EmbeddedPostgres, proxy: TlsProxy, authority: Authority
) -> None:
    plain, unnamed, right = f"127.0.0.1:{port_of(postgres)}", f"localhost:{proxy.port}", f"127.0.0.1:{proxy.port}"
    files = {"sslmode": "verify-full", "sslrootcert": authority.file, "target_session_attrs": "read-write"}

    await connect(dsn_at(postgres.dsn, plain, unnamed, right, **files))

    why = await rejected(dsn_at(postgres.dsn, plain, unnamed, **files), Unavailable)
    assert f"{plain},{unnamed}" in why
    assert "the server's certificate is not accepted" in why


async def test_a_certificate_that_is_replaced_at_runtime_is_an_outage_until_it_is_right(
    postgres: EmbeddedPostgres, proxy: TlsProxy, authority: Authority, other: Authority
) -> None:
    databases = Databases(None, 1)
    dsn = dsn_at(postgres.dsn, f"127.0.0.1:{proxy.port}", sslmode="verify-full", sslrootcert=authority.file)
    assert await databases.out_of_reach([dsn]) is None

    async def not_accepted() -> bool:
        return "the server's certificate is not accepted" in (await databases.out_of_reach([dsn]) or "")

    async def accepted() -> bool:
        return await databases.out_of_reach([dsn]) is None

    proxy.certify(other)
    await eventually(not_accepted)
    proxy.certify(authority)
    await eventually(accepted)
    await databases.close()


@pytest.mark.parametrize("name", ["sslrootcert", "sslcert", "sslkey"])
async def test_a_file_that_cannot_be_read_is_named(
    postgres: EmbeddedPostgres, proxy: TlsProxy, authority: Authority, name: str
) -> None:
    files = {"sslrootcert": authority.file, "sslcert": authority.certificate("client"), name: "/nowhere/file.pem"}

    why = await rejected(dsn_at(postgres.dsn, f"127.0.0.1:{proxy.port}", sslmode="verify-full", **files), Misconfigured)

    assert name in why
    assert "/nowhere/file.pem" in why


async def test_a_command_ends_with_the_reason_and_without_the_password(
    postgres: EmbeddedPostgres, proxy: TlsProxy, other: Authority
) -> None:
    dsn = dsn_at(postgres.dsn, f"127.0.0.1:{proxy.port}", sslmode="verify-full", sslrootcert=other.file)

    code, out, err = await caudal("migrate", environment={"CAUDAL_WRITE_DSN": dsn})

    assert code != 0
    assert "the server's certificate is not accepted" in err
    assert "Traceback" not in err
    assert str(urlsplit(dsn).password) not in out + err
