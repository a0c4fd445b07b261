"""The commands and sagas that a version of the systems knows, recorded beside each log with `caudal migrate`.

During a rolling deploy, workers of two versions share the commands topics. One that does not know a command, or a field of it,
must not reject it for good while the version that migrated the database last knows it.
"""

import hashlib
import time
from collections.abc import Iterable, Mapping

import orjson

from schemas.engine.sagas import CONTEXT
from schemas.system import ENGINE, ContextName
from streams.database.store import Store
from streams.installation import Installation

_SAGAS = ContextName(ENGINE, CONTEXT)
_FRESH_SECONDS = 0.5


class KnownCommands:
    """The commands of one context, each name with a digest of its shape: those of this version, and those that are recorded."""

    def __init__(self, store: Store, own: Mapping[str, str]) -> None:
        self._store, self._own = store, own
        self._others: frozenset[str] = frozenset()
        self._read_at: float | None = None

    @classmethod
    def of_contexts(
        cls, installation: Installation, sagas: Mapping[str, Iterable[str]]
    ) -> Mapping[ContextName, "KnownCommands"]:
        """Returns the commands of every context; ``sagas`` are the inputs that each saga knows, by its full name."""
        own: dict[ContextName, dict[str, str]] = {context: {} for context in installation.catalog.contexts}
        for context, command in installation.catalog.commands():
            own[context][f"{context.system}.{command.message_name}"] = _digest(command.model_json_schema())
        own[_SAGAS] |= {of_saga(saga): _digest(sorted(inputs)) for saga, inputs in sagas.items()}
        return {context: cls(installation.log_store(context), known) for context, known in own.items()}

    async def record(self) -> bool:
        """Records the commands of this version as those of the version that migrated last; returns whether that is a change.

        Raises `Unavailable`.
        """
        names = sorted(self._own)
        return bool(await self._store.fetch("known_commands_set", names, [self._own[name] for name in names]))

    async def others(self, max_age: float = 0.0) -> frozenset[str]:
        """Returns the names that the recorded version knows in another way than this one, or alone; raises `Unavailable`.

        They are read again if they were read longer than ``max_age`` seconds ago. They are none if nothing is recorded.
        """
        if self._read_at is None or time.monotonic() - self._read_at >= max_age:
            rows = await self._store.fetch("known_commands")
            self._others = frozenset(row["name"] for row in rows if self._own.get(row["name"]) != row["shape"])
            self._read_at = time.monotonic()
        return self._others

    async def knows_saga_otherwise(self, saga: str) -> bool:
        """Returns whether the recorded version knows other inputs of a saga, from what was read in the last half second."""
        return of_saga(saga) in await self.others(_FRESH_SECONDS)


def of_saga(saga: str) -> str:
    """Returns the name under which the inputs of a saga are recorded."""
    return f"saga {saga}"


def _digest(shape: object) -> str:
    return hashlib.sha256(orjson.dumps(shape, option=orjson.OPT_SORT_KEYS)).hexdigest()
