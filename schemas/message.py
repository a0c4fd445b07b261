"""Commands and events: what may be asked of a system, and what has happened in it."""

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from schemas.access import Access

ITS_ID = "its id"
"""As a command's subject: the command's own id, which names somebody of whom nothing was known before."""


class Message(BaseModel):
    """A named, immutable piece of the published language; unknown fields are rejected.

    The name is given where the class is defined (``class DataIngested(Event, name="DataIngested")``) and is what gets
    stored and published: a class may move or be renamed without touching a byte of what is recorded.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    message_name: ClassVar[str]

    def __init_subclass__(cls, *, name: str | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if name is not None:
            cls.message_name = name


class Command(Message):
    """A request, in the imperative, to one bounded context; it may be rejected."""

    internal: ClassVar[bool] = False
    """Whether only the engine issues it: no path over HTTP takes it."""
    command_access: ClassVar[Access | None] = None
    """Who may send it over HTTP; ``None``: everybody."""
    command_subject: ClassVar[str | None] = None
    """Which attribute says whose its `Sensitive` fields are, or `ITS_ID`."""

    def __init_subclass__(
        cls, *, internal: bool = False, access: Access | None = None, subject: str | None = None, **kwargs: Any
    ) -> None:
        super().__init_subclass__(**kwargs)
        cls.internal, cls.command_access, cls.command_subject = internal, access, subject


class Event(Message):
    """A fact, in the past tense, that a bounded context has recorded; it cannot be rejected any more."""

    schema_version: ClassVar[int] = 1

    def __init_subclass__(cls, *, schema_version: int = 1, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.schema_version = schema_version
