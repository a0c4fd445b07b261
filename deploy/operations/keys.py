"""``caudal token``, ``signing-key``, ``token-keys`` and ``master-keys``: access tokens, and the keys of an installation."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from deploy.console.async_command import async_command, report_errors
from deploy.console.connection import connected, read_settings, settings_of
from deploy.console.options import DEFAULT_DATA_DIR, Apply, DataDir, flag
from deploy.console.printing import confirmed, counted, lines
from schemas.errors import NotFound
from streams.discovery import installed_catalog
from streams.settings import Settings

token_keys = typer.Typer(no_args_is_help=True, help="Add and retire the keys that sign access tokens.")
master_keys = typer.Typer(no_args_is_help=True, help="Add the keys that wrap the data subjects' keys, and change to a new one.")

TokenFolder = Annotated[Path, typer.Argument(help="The folder that CAUDAL_TOKEN_KEYS names.", file_okay=False)]
MasterFile = Annotated[Path, typer.Argument(help="The file that CAUDAL_MASTER_KEY_FILE names.", dir_okay=False)]
UnlessThere = Annotated[bool, flag("--unless-there", help="Do nothing if there is a key already.")]


def _note(text: str) -> None:
    """Prints a note for people to standard error: standard output is for scripts."""
    typer.echo(text, err=True)


@report_errors()
def token(
    subject: Annotated[str, typer.Argument(help="The token's subject: the id of a user, or any name.")],
    roles: Annotated[list[str] | None, typer.Option("--role", help="A role; repeatable.")] = None,
    scopes: Annotated[list[str] | None, typer.Option("--scope", help="A scope; repeatable.")] = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Print an access token, signed with a key of CAUDAL_TOKEN_KEYS or of the running stack."""
    from streams.security.tokens import TokenIssuer

    settings = read_settings()
    if settings.token_keys is None:
        settings = connected(settings, data_dir.resolve(), "name the folder of the keys in CAUDAL_TOKEN_KEYS")
    _check(settings, roles or (), scopes or ())
    typer.echo(TokenIssuer(settings).issue(subject, roles or (), scopes or ()).text)
    _note(f"Expires in {settings.token_lifetime_seconds} s. Use it as a header: Authorization: Bearer TOKEN")


def _check(settings: Settings, roles: Sequence[str], scopes: Sequence[str]) -> None:
    """Raises `NotFound` for a role or a scope that no permission mentions: it would open nothing."""
    catalog = installed_catalog(settings.systems)
    further = [access for access in settings.access.values() if access is not None]
    known = {
        "role": catalog.roles().union(*(access.roles for access in further)),
        "scope": catalog.scopes().union(*(access.scopes for access in further)),
    }
    for what, asked in (("role", roles), ("scope", scopes)):
        if unknown := sorted(set(asked) - known[what]):
            raise NotFound(
                f"no permission mentions the {what} {', '.join(unknown)}; known {what}s: {_listed(known[what])}"
                " (those of CAUDAL_ACCESS are known if it is set here as for the processes)"
            )
    if not roles:
        _note(f"The token has no role. Add one with --role; known roles: {_listed(known['role'])}.")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"


@report_errors()
def signing_key(
    folder: Annotated[Path, typer.Argument(help="Folder for signing.pem and public.pem.", file_okay=False)],
    unless_there: Annotated[bool, flag("--unless-there", help="Keep a pair that is there already.")] = False,
) -> None:
    """Make a pair of keys for the signatures of the logs' heads."""
    from streams.integrity.signing import complete_keys, make_keys

    folder.mkdir(parents=True, exist_ok=True)
    private, public = folder / "signing.pem", folder / "public.pem"
    if unless_there:
        complete_keys(private, public)
    else:
        make_keys(private, public)
    typer.echo(f"{private}\n{public}")
    _note(f"Next: set CAUDAL_SIGNING_KEY={private} for the relay, and give {public} to everyone who verifies heads.")


@token_keys.command("add")
@report_errors()
def add_token_key(folder: TokenFolder, unless_there: UnlessThere = False) -> None:
    """Make a key, which signs from now on, and print its name. Tokens of earlier keys stay valid."""
    from streams.security.token_keys import add_token_key as add

    if unless_there and any(folder.glob("*.json")):
        return
    typer.echo(add(folder))
    _note(f"Next: set CAUDAL_TOKEN_KEYS={folder} for both APIs. A key that is in use is found without a restart.")


@token_keys.command("retire")
@report_errors()
def retire_token_key(
    folder: TokenFolder, key: Annotated[str, typer.Argument(help="The key's name.")], apply: Apply = False
) -> None:
    """Remove a key, after its last token has expired: tokens of this key are not valid any more."""
    from streams.security.token_keys import key_file
    from streams.security.token_keys import retire_token_key as retire

    key_file(folder, key)
    out = lines()
    out.print(f"The key {key} will be removed from {folder}; its tokens become invalid.", markup=False)
    if confirmed(out, apply=apply):
        retire(folder, key)


@master_keys.command("add")
@report_errors()
def add_master(file: MasterFile, unless_there: UnlessThere = False) -> None:
    """Add a key at the top of the file: it wraps from now on, those below it still unwrap."""
    from streams.encryption.encryption import add_master_key

    if unless_there and file.exists():
        return
    add_master_key(file, f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}")
    _note("Next: `caudal master-keys rewrap --apply` wraps every subject's key with the new one.")


@master_keys.command("rewrap")
@async_command
async def rewrap(apply: Apply = False, data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """Wrap every subject's key with the newest master key; then earlier ones may be removed from the file."""
    from streams.database.pools import Databases
    from streams.encryption.subject_keys import SubjectKeys

    settings, out = settings_of(data_dir), lines()
    databases = Databases("caudal_writer", pool_size=1)
    try:
        keys = SubjectKeys(settings, databases)
        out.print(f"{counted(await keys.wrapped_by_others(), 'key')} will be wrapped with the newest master key.")
        if not confirmed(out, apply=apply):
            return
        done = await keys.rewrap()
    finally:
        await databases.close()
    out.print(f"{counted(done, 'key')} wrapped with the newest master key.")
