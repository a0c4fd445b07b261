"""The target of a load: the URL of a command, and its class if its system is installed here."""

from pathlib import Path

from deploy.console.endpoints import running_stack
from schemas.catalog import Catalog
from schemas.errors import Malformed, NotFound
from schemas.message import Command
from streams.discovery import installed_catalog


def command_url(system: str, command: str, url: str | None, data_dir: Path) -> str:
    """Returns the command's URL at the API ``url``, or at that of the stack that runs from the data folder.

    Raises `NotFound` without a stack, and for a system or a command that the stack does not have.
    """
    if url is None:
        stack = running_stack(data_dir)
        if stack is None:
            raise NotFound(f"no stack runs from {data_dir}: start one with `caudal up`, or name the command API with --url")
        _command(installed_catalog(stack.systems), system, command)
        url = stack.command_api
    if not url.startswith(("http://", "https://")):
        raise Malformed(f"--url must be the command API's, such as http://127.0.0.1:5001, not {url!r}")
    return f"{url.rstrip('/')}/commands/{system}/{command}"


def command_class(system: str, command: str, url: str | None) -> type[Command] | None:
    """Returns the class of a command, ``None`` if its system may be installed at the API ``url`` only.

    Raises `NotFound`, with the known names, for a system or a command that does not exist.
    """
    catalog = installed_catalog()
    if url is not None and system not in catalog.systems:
        return None
    return _command(catalog, system, command)


def _command(catalog: Catalog, system: str, command: str) -> type[Command]:
    if system not in catalog.systems:
        raise NotFound(f"there is no system {system!r}; there are {', '.join(sorted(catalog.systems))}")
    known = {one.message_name: one for name, one in catalog.commands() if name.system == system and not one.internal}
    if command not in known:
        raise NotFound(f"there is no command {command!r} in {system!r}; there are {', '.join(sorted(known))}")
    return known[command]
