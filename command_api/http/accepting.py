"""Accepting: a command is validated and encrypted, sent to its topic, and answered before the worker decides it."""

from collections.abc import Mapping

from aggregates.system import Domains
from command_api.handling.handler import CommandHandler
from command_api.http.paths import AcceptedCommand, AcceptedCommandPath, OwnPath, UploadPath
from schemas.catalog import Catalog
from schemas.envelope import CommandEnvelope
from schemas.errors import Invalid, Misconfigured, TooLarge
from schemas.expected_version import ANY_VERSION, ExpectedVersion
from schemas.message import Command
from streams.commands.sender import CommandSender

NO_EXPECTATION = "If-Match and If-None-Match are not supported for commands that are only accepted"


class Acceptance:
    """Accepts commands."""

    def __init__(self, handler: CommandHandler, sender: CommandSender) -> None:
        self._handler, self._sender = handler, sender

    async def accept(self, command: CommandEnvelope[Command], expected: ExpectedVersion, *, is_new: bool) -> AcceptedCommand:
        """Sends a command to its topic, keyed by its stream, and returns when the broker has acknowledged it.

        ``is_new`` says that its id was not stated by a client. A command that was handled already is not sent again. Raises
        `Invalid` if a version is expected, `TooLarge`, `Rejected` if the data subject was erased, `IdempotencyKeyReused`, and
        `Unavailable` if no broker acknowledges.
        """
        if expected != ANY_VERSION:
            raise Invalid(NO_EXPECTATION)
        prepared = await self._handler.prepare(command, is_new=is_new)
        size, limit = len(prepared.command.data.model_dump_json().encode()), self._sender.max_command_bytes
        if size > limit:
            raise TooLarge(f"the command may have {limit} bytes at most, encrypted; it has {size}")
        if not prepared.is_repeat:
            await self._sender.send([(prepared.context, prepared.command, prepared.stream)])
        return AcceptedCommand(command.id, prepared.key, prepared.is_repeat)


def check(catalog: Catalog, systems: Mapping[str, tuple[OwnPath, ...]], domains: Domains) -> None:
    """Raises `Misconfigured` for a path whose command would be rejected without an event, as far as declarations show it.

    A decision that raises `Rejected` is found by its tests alone.
    """
    decisions = {decision.command: decision for domain in domains.values() for decision in domain.decisions}
    for system, paths in systems.items():
        for path in paths:
            if isinstance(path, UploadPath):
                _check_upload(catalog, system, path)
            if not isinstance(path, AcceptedCommandPath):
                continue
            name, context = path.command.__name__, catalog.context_of(path.command)
            where = f"the path {path.path} of {system} only accepts {name}"
            if catalog.context(context).requires_expected_version:
                raise Misconfigured(f"{where}, and no expected version can be stated for it, which {context} requires")
            if path.command not in decisions:
                continue  # the handler names it, or an activity puts another command in its place
            for use in decisions[path.command].uses:
                if use.expected == "existing" or (use.expected == "new" and use.key is not None and not callable(use.key)):
                    raise Misconfigured(
                        f"{where}, and the use of {use.stream} by its decision rejects it without an event: use "
                        "create_or_change or at, and record an event that says why"
                    )


def _check_upload(catalog: Catalog, system: str, path: UploadPath) -> None:
    where = f"the path {path.path} of {system} takes files"
    contexts = {catalog.context_of(command) for command in path.makes}
    if len(contexts) != 1:
        raise Misconfigured(f"{where} and makes commands of {len(contexts)} contexts: let them be of one")
    if catalog.context(context := contexts.pop()).requires_expected_version:
        raise Misconfigured(f"{where}, and no expected version can be stated for them, which {context} requires")
