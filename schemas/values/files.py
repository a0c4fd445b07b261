"""Files that events name: what is recorded of them, by which their loss or alteration is found."""

from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, Field


class KeptFile(BaseModel):
    """A file that is kept for good once it is recorded: `caudal verify files` reads it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str = Field(description="Its place among the files.")
    sha256: str
    bytes: int


class DeletedFile(BaseModel):
    """A file that was kept, and was deleted when what it belonged to was compensated: it is not looked for any more."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str = Field(description="Its place among the files.")


def may_keep_files(message: type[BaseModel]) -> bool:
    """Returns whether a field of a message may hold a `KeptFile` or a `DeletedFile`, at any depth."""
    return any(_mentions_files(field.annotation) for field in message.model_fields.values())


def files_in(message: BaseModel) -> Iterator[KeptFile | DeletedFile]:
    """Yields the files in the fields of a message, at any depth."""
    for name in type(message).model_fields:
        yield from _files_in(getattr(message, name))


def _mentions_files(annotation: Any) -> bool:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return issubclass(annotation, KeptFile | DeletedFile) or may_keep_files(annotation)
    return any(map(_mentions_files, get_args(annotation)))


def _files_in(value: Any) -> Iterator[KeptFile | DeletedFile]:
    if isinstance(value, KeptFile | DeletedFile):
        yield value
    elif isinstance(value, BaseModel):
        yield from files_in(value)
    elif isinstance(value, tuple | list):
        for one in value:
            yield from _files_in(one)
