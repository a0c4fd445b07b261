"""Fields that few may read: sealed where a command comes in, opened where a row is shown, and unreadable in between.

A command declares plain texts as `Sensitive` and says by its ``subject`` whose they are; a decision gets them sealed and puts
them into events whose fields are `Sealed`. Events, snapshots, topics, processes and views carry what was sealed as it is. When
the subject is forgotten, nobody can open it any more.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, get_args, get_origin

from pydantic import AfterValidator, BaseModel, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from schemas.text import mailbox

MARK = "sealed:1:"
"""What every sealed text begins with: the format's version. Then come the subject, a colon, and what only its key opens."""


@dataclass(frozen=True, slots=True)
class Sensitive:
    """Marks a command's text: ``diagnosis: Annotated[str, Sensitive(most=1000)]``. Lengths are those of the plain text."""

    most: int = 1000
    least: int = 1

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._checked, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(schema), "x-sensitive": True, "description": f"{self.least} to {self.most} characters, kept sealed."}

    def _checked(self, text: str | None) -> str | None:
        if text is not None and not is_sealed(text) and not self.least <= len(text) <= self.most:
            raise ValueError(f"should have {self.least} to {self.most} characters")
        return text


@dataclass(frozen=True, slots=True)
class Password:
    """Marks a command's password: a decision gets its argon2id hash in the place of it. ``Annotated[str, Password()]``."""

    least: int = 8
    most: int = 200

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._checked, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        limits = {"minLength": self.least, "maxLength": self.most}
        return {**handler(schema), **limits, "format": "password", "writeOnly": True}

    def _checked(self, text: str) -> str:
        if not is_sealed(text) and not self.least <= len(text) <= self.most:
            raise ValueError(f"should have {self.least} to {self.most} characters")
        return text


def _mailbox(text: str | None) -> str | None:
    return text if text is None or is_sealed(text) else mailbox(text)


SensitiveMailbox = Annotated[str | None, Sensitive(most=254, least=3), AfterValidator(_mailbox)]
"""A command's field for the address of one mailbox."""

Sealed = Annotated[str | None, Field(json_schema_extra={"x-sealed": True})]
"""An event's or a row's field that holds what was sealed, or ``None``: not given, or shown after its subject was forgotten."""


@cache
def sensitive_fields(message: type[BaseModel]) -> tuple[str, ...]:
    """The fields of a command that are sealed where it comes in."""
    return tuple(_marked(message, Sensitive))


@cache
def password_fields(message: type[BaseModel]) -> tuple[str, ...]:
    """The fields of a command that are hashed where it comes in."""
    return tuple(_marked(message, Password))


@cache
def secret_fields(command: type[BaseModel]) -> frozenset[str]:
    """The fields of a command that hold, as its client says them, what nobody else may read."""
    return frozenset(sensitive_fields(command)) | frozenset(password_fields(command))


def misplaced(command: type[BaseModel]) -> Iterator[str]:
    """Fields with a mark somewhere inside their types, where it would mean nothing: only a field itself can be marked."""
    for name, field in command.model_fields.items():
        if _holds_mark(field.annotation):
            yield name


def sealed_fields(shape: type[BaseModel]) -> Iterator[str]:
    """The fields of an event or a view that hold what was sealed."""
    for name, field in shape.model_fields.items():
        if isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("x-sealed"):
            yield name


def is_sealed(text: str) -> bool:
    """Whether a text is a sealed one."""
    return text.startswith(MARK)


def subject_of(sealed: str) -> str:
    """Whose a sealed text is."""
    return sealed.removeprefix(MARK).partition(":")[0]


def _holds_mark(annotation: Any) -> bool:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        fields = annotation.model_fields.values()
        return any(_holds_mark(field.annotation) or _is_mark(*field.metadata) for field in fields)
    if get_origin(annotation) is Annotated and _is_mark(*annotation.__metadata__):
        return True
    return any(map(_holds_mark, get_args(annotation)))


def _is_mark(*metadata: Any) -> bool:
    return any(isinstance(one, Sensitive | Password) for one in metadata)


def _marked(message: type[BaseModel], mark: type) -> Iterator[str]:
    for name, field in message.model_fields.items():
        if any(isinstance(one, mark) for one in field.metadata):
            yield name
