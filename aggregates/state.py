"""State: what the events of one stream add up to. It is immutable: each event makes a new one."""

import hashlib
import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict

from schemas.errors import Misconfigured, Unusable
from schemas.values.times import with_offsets

Document = dict[str, Any]
Upcasts = Mapping[int, Callable[[Document], Document]]
"""By version of the class: converts a stored state from that version to the next one."""


class State(BaseModel):
    """The state of a stream or a saga: ``class RuleBook(State, snapshot_every=200)``. Every field has a default.

    Its JSON is what a snapshot keeps and what the audit shows. A change of its shape makes older snapshots unusable by
    itself: the events are read instead. If only the meaning of ``evolve`` has changed, raise ``schema_version``. A saga
    records its state with each step, so a change of its state's class needs a new ``schema_version`` and an upcast.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    snapshot_every: ClassVar[int | None] = None
    """The number of events after which a snapshot is due; ``None``: no snapshots, which is best for short streams."""
    schema_version: ClassVar[int] = 1
    upcasts: ClassVar[Upcasts] = {}

    def __init_subclass__(
        cls, *, snapshot_every: int | None = None, schema_version: int = 1, upcasts: Upcasts | None = None, **kwargs: Any
    ) -> None:
        super().__init_subclass__(**kwargs)
        cls.snapshot_every, cls.schema_version, cls.upcasts = snapshot_every, schema_version, upcasts or {}

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        if required := [name for name, field in cls.model_fields.items() if field.is_required()]:
            raise Misconfigured(
                f"the state {cls.__name__} has no default for {', '.join(required)}: a stream without events has a state, too"
            )
        if set(cls.upcasts) - set(range(1, cls.schema_version)):
            raise Misconfigured(
                f"the state {cls.__name__} of version {cls.schema_version} upcasts a version that is not before it"
            )

    def replace(self, **changes: Any) -> Self:
        """Returns the state with other values in some fields; the values are not validated."""
        return self.model_copy(update=changes)

    @classmethod
    def read(cls, version: int, document: Mapping[str, Any]) -> Self:
        """Returns a state that any version of the class stored; raises `Unusable` if the current class cannot read it."""
        data = dict(document)
        steps = range(version, cls.schema_version)
        if missing := [step for step in steps if step not in cls.upcasts]:
            raise Unusable(f"{cls.__name__} has no upcast from its version {missing[0]}")
        try:
            for step in steps:
                data = cls.upcasts[step](data)
            return with_offsets(cls.model_validate_json(json.dumps(data, default=str)))
        except Exception as error:  # the author's upcast may raise anything
            raise Unusable(f"{cls.__name__} cannot read a state of its version {version}: {error}") from error

    @classmethod
    def from_snapshot(cls, state_schema: str, text: str) -> Self:
        """Returns the state of a snapshot; raises `Unusable` if it has another shape or version, or cannot be read."""
        if state_schema != state_schema_of(cls):
            raise Unusable(f"it is of {state_schema}, the code reads {state_schema_of(cls)}")
        try:
            state = with_offsets(cls.model_validate_json(text))
        except Exception as error:  # the author's validator may raise anything; the events are read instead
            raise Unusable(str(error)) from error
        if missing := cls.model_fields.keys() - state.model_fields_set:
            raise Unusable(f"it lacks {', '.join(sorted(missing))}")
        return state


class NoState(State):
    """The state of a stream without a state: decisions only use whether it exists."""


@cache
def state_schema_of(state: type[State]) -> str:
    """Returns a name of a state's shape and the version of its class: ``2-5f3a…``."""
    shape = json.dumps(state.model_json_schema(), sort_keys=True)
    return f"{state.schema_version}-{hashlib.sha256(shape.encode()).hexdigest()[:16]}"
