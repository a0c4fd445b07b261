"""Commands and events: the requests to a system, and the facts that it recorded."""

import re
from collections.abc import Callable
from typing import Any, ClassVar, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, model_validator

from schemas.access import Access
from schemas.values.storable import check_storable
from schemas.values.tuples import check_tuple

COMMAND_ID = "command id"
"""As a command's subject: the command's own id, for a new data subject."""
Subject = str | Callable[[UUID], UUID]
"""The attribute of a command that names its data subject, `COMMAND_ID`, or a function of the command's id."""

_WORD_BEGINS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


class Message(BaseModel):
    """A named, immutable message of the published language; unknown fields are rejected.

    The name is stored and published. It is derived from the class's name; ``name="..."`` in the class statement pins
    another one, for example to keep the name when the class is renamed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    message_name: ClassVar[str]


class Command(Message):
    """A request to one bounded context, which may reject it. Its name is imperative: ``ReceiveData`` is ``receive-data``.

    Its values can be stored (`schemas.values.storable`): a numeric string that becomes an integer has 64 bits, too.
    """

    internal: ClassVar[bool] = False
    """Whether only the engine sends it: no path over HTTP takes it."""
    command_access: ClassVar[Access | None] = None
    """Who may send it over HTTP; ``None``: every caller."""
    command_subject: ClassVar[Subject | None] = None
    """The source of the data subject of the `Sensitive` fields."""

    def __init_subclass__(
        cls,
        *,
        name: str | None = None,
        internal: bool = False,
        access: Access | None = None,
        subject: Subject | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init_subclass__(**kwargs)
        cls.message_name = name or words_of(cls.__name__, "-")
        cls.internal, cls.command_access, cls.command_subject = internal, access, subject

    def subject_of(self, id: UUID) -> str | None:
        """Returns the data subject of the command under its id; ``None`` if its class names none."""
        subject = type(self).command_subject
        if callable(subject):
            return str(subject(id))
        return None if subject is None else str(id if subject == COMMAND_ID else getattr(self, subject))

    @model_validator(mode="after")
    def _can_be_stored(self) -> Self:
        check_storable(self)
        return self


class Event(Message):
    """A fact that a bounded context recorded; its name is its class's, in the past tense. It cannot be rejected any more."""

    schema_version: ClassVar[int] = 1
    renamed_from: ClassVar[tuple[str, ...]] = ()
    """Earlier names of the event: the log keeps them, and this class reads them."""
    retired: ClassVar[bool] = False
    """Whether it is only read, and not recorded any more."""

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
        check_tuple(cls.__name__, "renamed_from", renamed_from)
        cls.message_name, cls.schema_version = name or cls.__name__, schema_version
        cls.renamed_from, cls.retired = renamed_from, retired


def words_of(class_name: str, separator: str) -> str:
    """Returns the words of a class's name in small letters: ``ReceiveData`` with ``-`` is ``receive-data``."""
    return _WORD_BEGINS.sub(separator, class_name).lower()
