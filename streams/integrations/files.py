"""Files: bytes under keys, in a folder or in an object store such as S3."""

import hashlib
import os
from collections.abc import AsyncIterator, Awaitable
from contextlib import suppress
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast
from urllib.parse import unquote, urlsplit

from obstore.exceptions import BaseError, NotFoundError, PermissionDeniedError, UnauthenticatedError
from obstore.store import LocalStore, ObjectStore, from_url

from schemas.errors import Damaged, Misconfigured, NotFound, Unavailable
from streams.settings import Settings
from streams.telemetry.retrying import reason

T = TypeVar("T")

_PART_BYTES = 1024 * 1024
_ANSWER, _CONNECTION = timedelta(seconds=30), timedelta(seconds=5)
"""The longest waits for an answer of an object store, and for a connection to it."""


class Files:
    """The files of a deployment. A key is a path without a leading slash, such as ``images/4711.dcm``."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    @classmethod
    def of(cls, settings: Settings) -> "Files":
        """Returns the files under ``CAUDAL_FILES_URL``; raises `Misconfigured` without it, or if it names no store."""
        if settings.files_url is None:
            raise Misconfigured("no place for files is set: set CAUDAL_FILES_URL to file:///folder or s3://bucket/prefix")
        return _opened(settings.files_url)

    async def put(self, key: str, content: bytes) -> None:
        """Writes a whole file; one that is there is replaced, and no reader sees a part of it.

        Raises `Unavailable`, and `Misconfigured` if this process may not write there.
        """
        await _answered(self._store.put_async(key, content))

    async def get(self, key: str) -> bytes:
        """Returns a whole file; raises `NotFound` and `Unavailable`."""
        try:
            found = await _answered(self._store.get_async(key))
            return bytes(await _answered(found.bytes_async()))
        except FileNotFoundError:
            raise NotFound(f"there is no file {key}") from None

    async def read(self, key: str, *, size: int, sha256: str) -> AsyncIterator[bytes]:
        """Returns a file in parts of a mebibyte, which are read as they are asked for.

        Raises `Damaged` if the file is missing, or has another size or content than is recorded of it, and `Unavailable`. A
        content of one part is compared before this returns; of a larger one the last part is held back until it is.
        """
        try:
            found = await _answered(self._store.get_async(key))
        except FileNotFoundError:
            raise Damaged(f"the file {key} is missing") from None
        if found.meta["size"] != size:
            raise Damaged(f"the file {key} has {found.meta['size']} bytes, {size} were recorded")

        async def compared() -> AsyncIterator[bytes]:
            digest, held = hashlib.sha256(), b""
            async for part in found.stream(min_chunk_size=_PART_BYTES):
                digest.update(part)
                if held:
                    yield held
                held = bytes(part)
            if digest.hexdigest() != sha256:
                raise Damaged(f"the file {key} was altered")
            yield held

        parts = compared()
        first = await anext(parts)

        async def all_parts() -> AsyncIterator[bytes]:
            yield first
            async for part in parts:
                yield part

        return all_parts()

    async def delete(self, key: str) -> None:
        """Deletes a file; one that is not there is deleted already. Raises `Unavailable`."""
        with suppress(FileNotFoundError):
            await _answered(self._store.delete_async(key))

    async def keys(self, folder: str) -> AsyncIterator[str]:
        """Yields the keys of the files in a folder and its folders; raises `Unavailable`."""
        try:
            async for some in self._store.list(folder):
                for one in some:
                    yield one["path"]
        except (BaseError, OSError) as error:
            raise _out_of_reach(error) from error


def _out_of_reach(error: Exception) -> Unavailable:
    return Unavailable("the files are out of reach", _first_line(error))


def _first_line(error: Exception) -> str:
    """Returns the first line of an error: the client adds more that it knows of the store."""
    return reason(error).partition("\n")[0]


async def _answered(answer: Awaitable[T]) -> T:
    try:
        return await answer
    except (NotFoundError, FileNotFoundError) as error:
        raise FileNotFoundError from error
    except (PermissionDeniedError, UnauthenticatedError, PermissionError) as error:
        raise Misconfigured(f"this process may not use the files: {_first_line(error)}") from error
    except (BaseError, OSError) as error:
        raise _out_of_reach(error) from error


@cache
def _opened(url: str) -> Files:
    parts = urlsplit(url)
    try:
        if parts.scheme == "file":
            return Files(LocalStore(Path(unquote(parts.path)), mkdir=True, automatic_cleanup=True))
        # These options replace those that the client takes from the environment; one of them is for stores without TLS.
        allow_http = os.environ.get("AWS_ALLOW_HTTP", "").lower() in ("true", "1")
        options = {"timeout": _ANSWER, "connect_timeout": _CONNECTION, "allow_http": allow_http}
        return Files(from_url(url, client_options=cast(Any, options)))
    except (BaseError, ValueError, OSError) as error:
        raise Misconfigured(f"CAUDAL_FILES_URL names no place for files: {_first_line(error)}") from error
