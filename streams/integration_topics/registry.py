"""Schema registries: the schemas of the integration topics, each registered under a subject, with an id.

With ``CAUDAL_SCHEMA_REGISTRY_URL`` a registry gives the ids, and checks that readers of a new schema can read what was written
with the one before (compatibility BACKWARD). Without one this deployment's own database does both. Either way the ids are noted
in the database, so that no process asks a registry while it works.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import orjson
from confluent_kafka.schema_registry import AsyncSchemaRegistryClient, Schema
from confluent_kafka.schema_registry.error import SchemaRegistryError
from fastavro.utils import generate_many
from httpx2 import HTTPError

from schemas.errors import Malformed, Misconfigured, Unavailable
from streams.database.store import Store
from streams.integration_topics.avro import readable_with
from streams.settings import Settings

BACKWARD = "BACKWARD"
_SAMPLES = 50
_CONFLICT, _NOT_FOUND = 409, 404
_SECONDS = 5


@dataclass(frozen=True, slots=True)
class RegisteredSchema:
    """One version of the schema of a subject."""

    id: int
    subject: str
    version: int
    definition: str
    """JSON text"""


class Registry(Protocol):
    """Gives ids to schemas."""

    async def register(self, subject: str, definition: str) -> RegisteredSchema:
        """Returns the registered schema, which may be known already.

        Raises `Misconfigured` if readers of the new schema cannot read what was written with an older one, and `Unavailable`.
        """


class OwnRegistry:
    """The registry in this deployment's database, which also shows what another one has registered."""

    def __init__(self, store: Store, url: str = "") -> None:
        """``url`` is that of another registry."""
        self._store, self._url = store, url

    async def register(self, subject: str, definition: str) -> RegisteredSchema:
        known = await self.schemas()
        own = [one for one in known if one.subject == subject]
        if (equal := next((one for one in own if one.definition == definition), None)) is not None:
            return equal
        if own and (why := why_unreadable(definition, own[-1].definition)) is not None:
            raise _incompatible(subject, why)
        return RegisteredSchema(max((one.id for one in known), default=0) + 1, subject, len(own) + 1, definition)

    async def schemas(self) -> list[RegisteredSchema]:
        """Returns every registered schema, in the order of their ids."""
        return [RegisteredSchema(*row.values()) for row in await self._store.fetch("registered_schemas", self._url)]

    async def definitions(self) -> Mapping[int, str]:
        """Returns the registered schemas by their ids."""
        return {one.id: one.definition for one in await self.schemas()}


class RemoteRegistry:
    """A registry with Confluent's API, such as Redpanda's own."""

    def __init__(self, settings: Settings) -> None:
        options: dict[str, Any] = {"url": settings.schema_registry_url, "timeout": _SECONDS, "max.retries": 1}
        if settings.schema_registry_user is not None:
            options["basic.auth.user.info"] = settings.schema_registry_user.get_secret_value()
        self._client = AsyncSchemaRegistryClient(options)
        self._url = settings.schema_registry_url

    async def register(self, subject: str, definition: str) -> RegisteredSchema:
        schema = Schema(definition, "AVRO")
        with self._asking(f"does not register {subject}"):
            await self._client.set_compatibility(subject, BACKWARD)
            try:
                await self._client.register_schema(subject, schema)
            except SchemaRegistryError as error:
                if error.http_status_code == _CONFLICT:
                    raise _incompatible(subject, error.error_message) from error
                raise
            found = await self._client.lookup_schema(subject, schema)
        assert found.schema_id is not None, "it has just been registered"
        assert found.version is not None, "it has just been registered"
        return RegisteredSchema(found.schema_id, subject, found.version, definition)

    async def definition(self, id: int) -> str:
        """Returns the schema with an id; raises `Malformed` if there is none, and `Unavailable`."""
        with self._asking(f"does not show the schema {id}"):
            try:
                found = await self._client.get_schema(id)
            except SchemaRegistryError as error:
                if error.http_status_code == _NOT_FOUND:
                    raise Malformed(f"the registry has no schema {id}") from error
                raise
        if found.schema_str is None:
            raise Malformed(f"the schema {id} has no text")
        return found.schema_str

    @contextmanager
    def _asking(self, what: str) -> Iterator[None]:
        try:
            yield
        except SchemaRegistryError as error:
            raise Unavailable(f"the schema registry {what}", f"{self._url}: {error}") from error
        except (OSError, HTTPError) as error:
            raise Unavailable("the schema registry is out of reach", f"{self._url}: {error}") from error

    async def close(self) -> None:
        """Closes its connections."""
        await self._client.aclose()


class WriterSchemas:
    """The schemas by which other teams write, by the ids in their records."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings, self._own = settings, OwnRegistry(store, settings.schema_registry_url)
        self._remote: RemoteRegistry | None = None
        """Connected to when a record names a schema that this deployment did not register."""
        self._known: dict[int, str] = {}

    async def definition(self, id: int) -> str:
        """Returns the schema with an id; raises `Malformed` if there is none, and `Unavailable`."""
        if id not in self._known:
            own = await self._own.definitions()
            self._known[id] = own[id] if id in own else await self._of_others(id)
        return self._known[id]

    async def _of_others(self, id: int) -> str:
        if not self._settings.schema_registry_url:
            raise Malformed(f"there is no schema {id}")
        self._remote = self._remote or RemoteRegistry(self._settings)
        return await self._remote.definition(id)

    async def close(self) -> None:
        """Closes its connections."""
        if self._remote is not None:
            await self._remote.close()


def why_unreadable(new: str, old: str) -> str | None:
    """Returns why a reader of the new schema cannot read what was written with the old one, or ``None`` if it can."""
    for sample in generate_many(orjson.loads(old), _SAMPLES):
        try:
            readable_with(new, old, sample)
        except Malformed as error:
            return error.detail
    return None


def _incompatible(subject: str, why: str) -> Misconfigured:
    return Misconfigured(
        f"the schema of {subject} changed so that its readers cannot read older records: {why}. Keep the fields that are there "
        "and add others, or choose another topic"
    )
