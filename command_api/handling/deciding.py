"""Stages 4 and 5, loading and deciding: the states of a command's streams, and the changes by the decision."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aggregates.deciding import Change, LoadedStream, decide
from aggregates.decision import Decision
from aggregates.system import Domains
from command_api.handling.repository import Repository
from command_api.handling.request import CommandRequest
from schemas.errors import Misconfigured, Rejected
from schemas.message import Command
from schemas.system import ContextName


@dataclass(frozen=True, slots=True)
class Decided:
    """The result of a decision: changes, or a rejection and no events."""

    changes: tuple[Change, ...]
    rejection: Rejected | None

    def rejected(self, rejection: Rejected) -> "Decided":
        """Returns the result of a rejection of the same command: the same streams, without events."""
        return _without_events([change.loaded for change in self.changes], rejection)


class Deciding:
    """Loads streams and decides commands on them."""

    def __init__(self, domains: Domains, repositories: Mapping[ContextName, Repository]) -> None:
        self._decisions: dict[type[Command], Decision[Any, Any]] = {
            decision.command: decision for domain in domains.values() for decision in domain.decisions
        }
        self._repositories = repositories

    def concern(self, command: type[Command]) -> bool:
        """Returns whether there is a decision on commands of this class."""
        return command in self._decisions

    async def load(self, request: CommandRequest, *, is_first_attempt: bool) -> list[LoadedStream | None]:
        """Returns the streams that a decision uses, the one that the command is about first.

        A stream that is usually new is assumed to be new at the first attempt; the append detects if it is not.
        """
        repository, loaded = self._repositories[request.context], []
        for use in self._decision(request).uses:
            key = use.key_of(request.command)
            assume_new = is_first_attempt and use.is_usually_new
            loaded.append(None if key is None else await repository.load(use.stream, key, assume_new=assume_new))
        if loaded[0] is None:
            raise _no_key(request)
        return loaded

    def target(self, request: CommandRequest) -> tuple[str, str]:
        """Returns the name and the key of the stream that a command is about.

        A command in whose place an activity puts another one is about none that is known yet: it has its own id for both.
        Raises `Misconfigured` if the stream has no key.
        """
        if type(request.command.data) not in self._decisions:
            return str(request.command.id), str(request.command.id)
        use = self._decision(request).target
        if (key := use.key_of(request.command)) is None:
            raise _no_key(request)
        return use.stream.name(key), key

    def decide(self, request: CommandRequest, streams: list[LoadedStream | None]) -> Decided:
        """Decides a command. It does not await, so that no other command is decided in between."""
        newest = self._repositories[request.context].newest
        streams = [None if loaded is None else newest(loaded) for loaded in streams]
        try:
            return Decided(tuple(decide(self._decision(request), request.command, streams)), None)
        except Rejected as rejection:
            return _without_events(streams, rejection)

    def _decision(self, request: CommandRequest) -> Decision[Any, Any]:
        return self._decisions[type(request.command.data)]


def _without_events(streams: Sequence[LoadedStream | None], rejection: Rejected) -> Decided:
    return Decided(tuple(Change(loaded, (), loaded.state) for loaded in streams if loaded is not None), rejection)


def _no_key(request: CommandRequest) -> Misconfigured:
    return Misconfigured(f"the decision on {type(request.command.data).__name__} finds no key of its stream")
