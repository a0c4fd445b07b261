"""A connection pooler is rejected with the reason, and never lets a session act in another role than it should."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from deploy.local.ports import free_ports
from deploy.local.process import ProcessSpec
from deploy.local.supervisor import Supervised
from schemas.errors import Misconfigured
from streams.database.pools import Databases
from streams.migrations.migrate import migrate
from streams.settings import Settings
from tests.conftest import FreshDatabase
from tests.databases import with_password

PGBOUNCER = shutil.which("pgbouncer") or shutil.which("/usr/sbin/pgbouncer")
IGNORED = "role,caudal.session,plan_cache_mode,enable_seqscan,enable_hashjoin,enable_mergejoin,synchronous_commit"

pytestmark = pytest.mark.skipif(PGBOUNCER is None, reason="pgbouncer is not installed: apt-get install pgbouncer")


@asynccontextmanager
async def pgbouncer(dsn: str, folder: Path, mode: str, *, ignoring: str = "") -> AsyncIterator[str]:
    """Runs PgBouncer before a database; yields the DSN of the database through it."""
    assert PGBOUNCER is not None
    (port,) = free_ports(1)
    behind = urlsplit(with_password(dsn))
    config = folder / "pgbouncer.ini"
    config.write_text(
        f"""[databases]
{behind.path[1:]} = host={behind.hostname} port={behind.port} user={behind.username} password={behind.password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
{f"ignore_startup_parameters = {ignoring}" if ignoring else ""}
"""
    )
    config.chmod(0o644)
    folder.chmod(0o755)
    as_nobody = ("-u", "nobody") if os.geteuid() == 0 else ()

    async def why_not_ready() -> str | None:
        try:
            await (await asyncpg.connect(f"postgresql://caudal@127.0.0.1:{port}{behind.path}", timeout=2)).close()
        except (OSError, TimeoutError, asyncpg.PostgresError) as error:
            return repr(error)
        return None

    command = (PGBOUNCER, *as_nobody, str(config))
    running = Supervised(
        ProcessSpec(name="pgbouncer", command=command, log=folder / "pgbouncer.log", why_not_ready=why_not_ready)
    )
    await running.start()
    try:
        yield f"postgresql://caudal@127.0.0.1:{port}{behind.path}"
    finally:
        await running.stop()


@pytest.mark.parametrize("mode", ["transaction", "session"])
@pytest.mark.parametrize("ignoring", ["", IGNORED])
@pytest.mark.parametrize("role", [None, "caudal_writer", "caudal_projector", "caudal_reader"])
async def test_a_pooler_is_rejected_with_the_reason(
    fresh_database: FreshDatabase, folder: Path, mode: str, ignoring: str, role: str
) -> None:
    own = folder / f"pgbouncer-{mode}-{role}-{bool(ignoring)}"
    own.mkdir()
    async with pgbouncer(await fresh_database.migrated(), own, mode, ignoring=ignoring) as dsn:
        databases = Databases(role, 2)  # type: ignore[arg-type]

        with pytest.raises(Misconfigured, match="connect to PostgreSQL directly"):
            async with databases.connection(dsn):
                pass

        assert "connection pooler" in str(await databases.out_of_reach([dsn]))
        await databases.close()


async def test_a_migration_through_a_pooler_is_rejected(fresh_database: FreshDatabase, folder: Path) -> None:
    own = folder / "pgbouncer-migrate"
    own.mkdir()
    async with pgbouncer(await fresh_database.empty(), own, "transaction", ignoring=IGNORED) as dsn:
        with pytest.raises(Misconfigured, match="connection pooler"):
            await migrate(Settings(write_dsn=dsn), fresh_database.catalog)
