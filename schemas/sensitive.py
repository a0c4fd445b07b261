"""Sensitive fields: encrypted when a command is received, decrypted when a row is read, and unreadable in between.

A command declares plain texts as `Sensitive` and names their data subject by its ``subject``. A decision gets them encrypted
and puts them into events whose fields are `Encrypted`. Events, snapshots, topics, sagas and views carry the encrypted text.
When the subject is erased, the text can never be decrypted again.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, TypeVar, get_args, get_origin

from pydantic import AfterValidator, BaseModel, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from schemas.values.names import NO_PASSWORD, USERNAME, enforced_password, enforced_username
from schemas.values.stated import RULES, narrowed
from schemas.values.text import MAILBOX, mailbox

M = TypeVar("M")

MARK = "encrypted:1:"
"""The prefix of every encrypted text, with the format's version. The subject, a colon and the ciphertext follow."""


@dataclass(frozen=True, slots=True)
class Sensitive:
    """Marks a command's text: ``diagnosis: Annotated[str, Sensitive(max_length=1000)]``. Lengths count the plain text."""

    max_length: int = 1000
    min_length: int = 1

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._checked, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {
            **narrowed(handler(schema), {"minLength": self.min_length, "maxLength": self.max_length}),
            "x-sensitive": True,
            "description": f"{self.min_length} to {self.max_length} characters, kept encrypted.",
        }

    def _checked(self, text: str | None) -> str | None:
        return _of_length(text, self.min_length, self.max_length)


@dataclass(frozen=True, slots=True)
class Password:
    """Marks a command's password: a decision gets its argon2id hash instead. ``Annotated[str, Password()]``.

    It is hashed in the form of RFC 8265 (`schemas.values.names.enforced_password`), whose characters the lengths count.
    """

    min_length: int = 8
    max_length: int = 200
    min_length_in_seed: int | None = None
    """The smallest length in the profile for trying (``CAUDAL_PROFILE=seed``), if its clients send shorter ones."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._checked, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        limits = {"minLength": self._shortest, "maxLength": self.max_length}
        return {
            **narrowed(handler(schema), {**limits, "format": "password"}),
            "writeOnly": True,
            RULES: [NO_PASSWORD, *(_length_rule(one, self.max_length) for one in sorted({self._shortest, self.min_length}))],
        }

    @property
    def _shortest(self) -> int:
        return self.min_length if self.min_length_in_seed is None else self.min_length_in_seed

    def why_too_short(self, text: str) -> str | None:
        """Returns why a valid password is too short in every profile but that for trying, or ``None``."""
        return None if len(text) >= self.min_length else _length_rule(self.min_length, self.max_length)

    def _checked(self, text: str | None) -> str | None:
        if text is None or is_encrypted(text):
            return text
        return _of_length(enforced_password(text), self._shortest, self.max_length)


def _of_length(text: str | None, shortest: int, longest: int) -> str | None:
    if text is not None and not is_encrypted(text) and not shortest <= len(text) <= longest:
        raise ValueError(_length_rule(shortest, longest))
    return text


def _length_rule(shortest: int, longest: int) -> str:
    return f"should have {shortest} to {longest} characters"


def _mailbox(text: str | None) -> str | None:
    return text if text is None or is_encrypted(text) else mailbox(text)


SensitiveMailbox = Annotated[str | None, Sensitive(max_length=254, min_length=3), AfterValidator(_mailbox), MAILBOX]
"""A command's field for the address of one mailbox."""


RequiredSensitiveMailbox = Annotated[str, Sensitive(max_length=254, min_length=3), AfterValidator(_mailbox), MAILBOX]
"""The same field if an address must be given."""


def _username(text: str | None) -> str | None:
    if text is not None and not is_encrypted(text):
        enforced_username(text)
    return text


SensitiveUsername = Annotated[str, Sensitive(max_length=100), AfterValidator(_username), USERNAME]
"""A command's field for a user name, kept as it is given. Names are compared by `schemas.values.names.enforced_username`."""

OptionalSensitiveUsername = Annotated[str | None, Sensitive(max_length=100), AfterValidator(_username), USERNAME]
"""The same field if no name need be given."""

Encrypted = Annotated[str | None, Field(json_schema_extra={"x-encrypted": True})]
"""An event's or a row's field that holds an encrypted text; ``None`` if none is given, or its subject was erased."""


@cache
def sensitive_fields(message: type[BaseModel]) -> tuple[str, ...]:
    """Returns the fields of a command that are encrypted when it is received."""
    return tuple(dict(_marks(message, Sensitive)))


@cache
def password_fields(message: type[BaseModel]) -> Mapping[str, Password]:
    """Returns the fields of a command that are hashed when it is received, with their marks."""
    return dict(_marks(message, Password))


@cache
def secret_fields(command: type[BaseModel]) -> frozenset[str]:
    """Returns the fields of a command whose plain texts must not be stored or logged."""
    return frozenset(sensitive_fields(command)) | frozenset(password_fields(command))


def misplaced(command: type[BaseModel]) -> Iterator[str]:
    """Returns the fields with a mark inside their types, which has no effect: only a whole field can be marked."""
    for name, field in command.model_fields.items():
        if _holds_mark(field.annotation):
            yield name


def encrypted_fields(shape: type[BaseModel]) -> Iterator[str]:
    """Returns the fields of an event or a view that hold encrypted texts."""
    for name, field in shape.model_fields.items():
        if isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("x-encrypted"):
            yield name


def is_encrypted(text: str) -> bool:
    """Returns whether a text is encrypted."""
    return text.startswith(MARK)


def without_encrypted(value: Any) -> Any:
    """Returns JSON with null in the place of each encrypted text."""
    if isinstance(value, dict):
        return {name: without_encrypted(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [without_encrypted(inner) for inner in value]
    return None if isinstance(value, str) and is_encrypted(value) else value


def subject_of(encrypted: str) -> str:
    """Returns the data subject of an encrypted text."""
    return encrypted.removeprefix(MARK).partition(":")[0]


def _holds_mark(annotation: Any) -> bool:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        fields = annotation.model_fields.values()
        return any(_holds_mark(field.annotation) or _is_mark(*field.metadata) for field in fields)
    if get_origin(annotation) is Annotated and _is_mark(*annotation.__metadata__):
        return True
    return any(map(_holds_mark, get_args(annotation)))


def _is_mark(*metadata: Any) -> bool:
    return any(isinstance(one, Sensitive | Password) for one in metadata)


def _marks(message: type[BaseModel], mark: type[M]) -> Iterator[tuple[str, M]]:
    for name, field in message.model_fields.items():
        yield from ((name, one) for one in field.metadata if isinstance(one, mark))
