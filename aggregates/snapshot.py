"""Snapshots: which part of an aggregate's state is kept, in which shape, and how often. A cache, never the truth."""

import hashlib
import json
from copy import copy
from dataclasses import dataclass
from functools import cached_property

from pydantic import BaseModel

from schemas.errors import Unusable


@dataclass(frozen=True)
class SnapshotPolicy:
    """How an aggregate's snapshots are made: ``snapshots = SnapshotPolicy(AccountState, every=100)``.

    ``state`` is a model whose fields are attributes of the aggregate, all that `evolve` changes. A change of its shape makes
    older snapshots unusable by itself; where only the meaning of `evolve` has changed, raise ``version``.
    """

    state: type[BaseModel]
    every: int
    """A snapshot is due when this many events have come since the last one."""
    version: int = 1

    @cached_property
    def state_schema(self) -> str:
        """Names the shape of the state and the version of the code: ``2-5f3a…``."""
        shape = json.dumps(self.state.model_json_schema(), sort_keys=True)
        return f"{self.version}-{hashlib.sha256(shape.encode()).hexdigest()[:16]}"

    def take(self, aggregate: object) -> str:
        """The state of an aggregate as JSON; raises `Unusable` where the model does not fit it."""
        try:
            return self.state.model_validate(aggregate, from_attributes=True).model_dump_json()
        except Exception as error:
            raise Unusable(f"{self.state.__name__} does not fit the aggregate: {error}") from error

    def restore(self, aggregate: object, state_schema: str, state: str) -> None:
        """Puts a kept state into an aggregate; raises `Unusable`, and changes nothing, for any that does not fit."""
        if state_schema != self.state_schema:
            raise Unusable(f"it is of {state_schema}, the code reads {self.state_schema}")
        try:
            kept = self.state.model_validate_json(state)
            restored = copy(aggregate)
            for name in self.state.model_fields:
                setattr(restored, name, getattr(kept, name))
        except Exception as error:  # a validator of the model's, or a property, may raise anything; the events tell the same
            raise Unusable(str(error)) from error
        vars(aggregate).update(vars(restored))
