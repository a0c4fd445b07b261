"""``caudal token-keys`` and ``caudal master-keys``: keys that sign tokens, and keys that wrap the data subjects' keys."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
import uvloop

from deploy.console.options import DEFAULT_DATA_DIR, DataDir, complaining, read_settings
from deploy.console.printing import counted
from streams.settings import Settings

token_keys = typer.Typer(no_args_is_help=True, help="Add and retire the keys that sign access tokens.")
master_keys = typer.Typer(no_args_is_help=True, help="Add and change the keys that wrap the data subjects' keys.")

TokenFolder = Annotated[Path, typer.Argument(help="The folder that CAUDAL_TOKEN_KEYS names.", file_okay=False)]
MasterFile = Annotated[Path, typer.Argument(help="The file that CAUDAL_MASTER_KEY_FILE names.", dir_okay=False)]
UnlessThere = Annotated[bool, typer.Option("--unless-there", help="Leave a key that is there already.")]


@token_keys.command("add")
def add(folder: TokenFolder, unless_there: UnlessThere = False) -> None:
    """Make a key: it signs from now on, and tokens of the keys before it stay good. Prints its name."""
    from streams.security.token_keys import add_token_key

    if unless_there and any(folder.glob("*.json")):
        return
    typer.echo(complaining(lambda: add_token_key(folder)))


@token_keys.command("retire")
def retire(folder: TokenFolder, key: Annotated[str, typer.Argument(help="The key's name.")]) -> None:
    """Remove a key, once its last token has expired: what it signed is not believed any more."""
    from streams.security.token_keys import retire_token_key

    complaining(lambda: retire_token_key(folder, key))


@master_keys.command("add")
def add_master(file: MasterFile, unless_there: UnlessThere = False) -> None:
    """Put a new key on top of the file: it wraps from now on, the ones below it still unwrap."""
    from streams.encryption.encryption import add_master_key

    if unless_there and file.exists():
        return
    complaining(lambda: add_master_key(file, f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}"))


@master_keys.command("rewrap")
def rewrap(data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """Wrap every subject's key with the newest master key; then the older ones may be removed from the file."""
    done = complaining(lambda: uvloop.run(_rewrap(data_dir.resolve(), read_settings())))
    typer.echo(f"{counted(done, 'key')} wrapped anew")


async def _rewrap(data_dir: Path, settings: Settings) -> int:
    from deploy.console.connection import connected
    from streams.database.pools import Databases
    from streams.encryption.subject_keys import SubjectKeys

    databases = Databases("caudal_writer", pool_size=1)
    try:
        return await SubjectKeys(connected(settings, data_dir), databases).rewrap()
    finally:
        await databases.close()
