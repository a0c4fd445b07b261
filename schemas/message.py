"""Commands and events: what a system can be asked for, and what has happened in it."""

import re
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from schemas.access import Access

COMMAND_ID = "command id"
"""As a command's subject: the command's own id, for a data subject about whom nothing was known before."""

_WORD_BEGINS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


class Message(BaseModel):
    """A named, immutable piece of the published language; unknown fields are rejected.

    The name is stored and published. It is derived from the class's name; ``name="..."`` where the class is defined pins
    another one, for example to keep the name when the class is renamed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    message_name: ClassVar[str]


class Command(Message):
    """A request, in the imperative, to one bounded context, which may reject it. ``ReceiveData`` is named ``receive-data``."""

    internal: ClassVar[bool] = False
    """Whether only the engine sends it: no path over HTTP takes it."""
    command_access: ClassVar[Access | None] = None
    """Who may send it over HTTP; ``None``: everybody."""
    command_subject: ClassVar[str | None] = None
    """The attribute that names the data subject of the `Sensitive` fields, or `COMMAND_ID`."""

    def __init_subclass__(
        cls,
        *,
        name: str | None = None,
        internal: bool = False,
        access: Access | None = None,
        subject: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init_subclass__(**kwargs)
        cls.message_name = name or words_of(cls.__name__, "-")
        cls.internal, cls.command_access, cls.command_subject = internal, access, subject


class Event(Message):
    """A fact, in the past tense, that a bounded context recorded; it cannot be rejected any more. Named like its class."""

    schema_version: ClassVar[int] = 1
    renamed_from: ClassVar[tuple[str, ...]] = ()
    """Names under which it was recorded before: the log keeps them, today's class reads them."""
    retired: ClassVar[bool] = False
    """Whether it is read, but not recorded any more."""

    def __init_subclass__(
        cls,
        *,
        name: str | None = None,
        schema_version: int = 1,
        renamed_from: tuple[str, ...] = (),
        retired: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init_subclass__(**kwargs)
        cls.message_name, cls.schema_version = name or cls.__name__, schema_version
        cls.renamed_from, cls.retired = renamed_from, retired


def words_of(class_name: str, separator: str) -> str:
    """Returns the words of a class's name in small letters: ``ReceiveData`` with ``-`` is ``receive-data``."""
    return _WORD_BEGINS.sub(separator, class_name).lower()
