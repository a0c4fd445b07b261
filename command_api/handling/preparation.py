"""Before a command is decided: passwords are hashed, what is sensitive is encrypted, activities are carried out."""

from dataclasses import replace

from command_api.handling.activities import ActivityContext, ActivityDependencies, Loading
from command_api.handling.passwords import hashed
from schemas.envelope import CommandEnvelope
from schemas.errors import Misconfigured
from schemas.message import ITS_ID, Command
from schemas.sensitive import is_encrypted, password_fields, sensitive_fields


class Preparation:
    """Prepares commands for their decisions."""

    def __init__(self, outside: ActivityDependencies | None, load: Loading) -> None:
        self._activities = {} if outside is None else outside.activities
        self._surroundings = None if outside is None else ActivityContext(outside.settings, outside.keys, load)

    async def closed(self, issued: CommandEnvelope[Command]) -> CommandEnvelope[Command]:
        """The command without anything that may not be kept: equal for equal commands of one id.

        Raises `Rejected` where its subject was erased.
        """
        command = issued.data
        passwords, sensitive = password_fields(type(command)), sensitive_fields(type(command))
        if not passwords and not sensitive:
            return issued
        # By topic they come as the engine left them: hashed and encrypted.
        changed = {
            name: await hashed(text, issued.id) for name in passwords if not is_encrypted(text := getattr(command, name))
        }
        given = {name: text for name in sensitive if (text := changed.get(name) or getattr(command, name)) is not None}
        if given and command.command_subject is not None:
            subject = str(issued.id if command.command_subject == ITS_ID else getattr(command, command.command_subject))
            encrypted = await self._outside().keys.encrypt(subject, {f"{issued.id}/{name}": given[name] for name in given})
            changed |= {name: encrypted[f"{issued.id}/{name}"] for name in given}
        return replace(issued, data=command.model_copy(update=changed))

    def has_activity(self, command: type[Command]) -> bool:
        """Whether something is done outside before a command of this class is decided."""
        return command in self._activities

    async def done(self, issued: CommandEnvelope[Command]) -> CommandEnvelope[Command]:
        """Carries a command's activity out; the command that tells what came of it."""
        outcome = await self._activities[type(issued.data)].carry_out(issued, self._outside())
        return replace(issued, data=outcome)

    def _outside(self) -> ActivityContext:
        if self._surroundings is None:
            raise Misconfigured("nothing can be encrypted or done outside here")
        return self._surroundings
