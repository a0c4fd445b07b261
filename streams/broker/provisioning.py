"""Provisioning of topics: creates those that are missing, completes their partitions and sets their configuration.

A user of the broker may lack the right to create or alter topics. Topics that exist are used as they are, and differences are
logged. A topic that is missing, or has too few partitions, makes its own context unusable and no other.

An incoming integration topic is another team's. It is created if it is missing; one that exists keeps its configuration and its
partitions, by whose number its senders may choose them.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple, Self, get_args

import structlog
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import InvalidPartitionsError, KafkaError, for_code

from schemas.catalog import Catalog
from schemas.errors import Unavailable
from schemas.system import ContextName
from streams.broker.clients import ORIGIN_BYTES, OUTAGES, new_admin, start, stop_quietly
from streams.broker.own_tasks import in_own_task
from streams.broker.security import rejection
from streams.broker.topic_names import Topics
from streams.settings import Settings
from streams.telemetry.retrying import reason

_log = structlog.get_logger()
_NO_ERROR, _TOPIC_EXISTS = 0, 36
_NOT_AUTHORIZED = {29, 31}
"""Codes: no right to the topic, no right to the cluster."""
_SET_FOR_THE_TOPIC = 1
"""Source of an entry of a topic's configuration that is its own, not the broker's default."""
_HOUR_MS = 3_600_000
_MAX_SECONDS = 30.0

Kind = Literal["log", "outgoing", "incoming"]
"""Topics of a log with its commands and dead letters; topics for other teams; topics of other teams with their dead letters."""
ALL: tuple[Kind, ...] = get_args(Kind)
OF_LOGS: tuple[Kind, ...] = ("log",)
PUBLISHED: tuple[Kind, ...] = ("log", "outgoing")
INCOMING: tuple[Kind, ...] = ("incoming",)


class _Wanted(NamedTuple):
    """A topic that a context needs."""

    kind: Kind
    topic: NewTopic
    is_anothers: bool = False
    """Whether it is another team's, to be used as it is."""


async def ensure_topics(
    settings: Settings, catalog: Catalog, contexts: Iterable[ContextName] | None = None, kinds: Collection[Kind] = ALL
) -> Sequence[ContextName]:
    """Creates the missing topics of some or all contexts; returns the contexts whose topics can be used, and logs the others.

    Only topics of some kinds are looked at: a context that cannot publish for other teams can still take commands. Topics get
    the partitions of their logs; more partitions are ignored. Raises `Unavailable` while no broker answers, and if no context
    can be used.
    """
    names = catalog.contexts if contexts is None else contexts
    wanted = {name: [one for one in _wanted(settings, catalog, name) if one.kind in kinds] for name in names}
    topics = [one for of_context in wanted.values() for one in of_context]
    try:
        unusable = await in_own_task(_provision(settings, topics), _MAX_SECONDS)
    except OUTAGES as error:
        raise Unavailable("no broker answers", f"{settings.brokers}: {rejection(error)}") from error
    faults = {name: [unusable[one.topic.name] for one in own if one.topic.name in unusable] for name, own in wanted.items()}
    if faults and all(faults.values()):
        raise Unavailable("topics cannot be used", "; ".join(why for own in faults.values() for why in own))
    for name, own in faults.items():
        if own:
            _log.error("topics cannot be used", context=str(name), why="; ".join(own))
    return [name for name, own in faults.items() if not own]


async def missing_topics(settings: Settings, catalog: Catalog) -> list[str]:
    """Returns the topics of all contexts that do not exist; raises `Unavailable` while no broker answers."""
    wanted = {one.topic.name for name in catalog.contexts for one in _wanted(settings, catalog, name)}
    try:
        return sorted(wanted - await in_own_task(_listed(settings), _MAX_SECONDS))
    except OUTAGES as error:
        raise Unavailable("no broker answers", f"{settings.brokers}: {rejection(error)}") from error


async def _listed(settings: Settings) -> set[str]:
    admin = new_admin(settings)
    try:
        await start(admin)
        return set(await admin.list_topics())
    finally:
        await stop_quietly(admin)


async def _provision(settings: Settings, wanted: Sequence[_Wanted]) -> Mapping[str, str]:
    """Returns why topics cannot be used, by name."""
    admin = new_admin(settings)
    try:
        await start(admin)
        existing, unusable = await _create(admin, [one.topic for one in wanted])
        usable = [one for one in wanted if one.topic.name not in unusable]
        own = [one.topic for one in usable if not one.is_anothers]
        unusable |= await _complete_partitions(admin, own)
        await _configure(admin, [topic for topic in own if topic.name in existing])
        return unusable
    finally:
        await stop_quietly(admin)


async def _create(admin: AIOKafkaAdminClient, wanted: Sequence[NewTopic]) -> tuple[Collection[str], dict[str, str]]:
    """Creates the missing topics; returns those that exist already, and why others could not be created.

    If none is missing, the cluster's controller is not asked: processes start while it is away. The list of all topics does not
    create any, as a look-up by name may.
    """
    listed = set(await admin.list_topics())
    existing = {topic.name for topic in wanted if topic.name in listed}
    missing = {topic.name: topic for topic in wanted if topic.name not in listed}
    if not missing:
        return existing, {}
    try:
        codes = (await admin.create_topics(list(missing.values()))).topic_errors
    except OUTAGES as error:
        return existing, {name: f"the topic {name} could not be created: {rejection(error)}" for name in missing}
    existing |= {name for name, code, _ in codes if code == _TOPIC_EXISTS}  # another process was faster
    return existing, {
        name: _missing(missing[name], code, message) for name, code, message in codes if code not in (_NO_ERROR, _TOPIC_EXISTS)
    }


def _missing(topic: NewTopic, code: int, message: str | None) -> str:
    if code in _NOT_AUTHORIZED:
        config = ", ".join(f"{name}={value}" for name, value in topic.topic_configs.items())
        return (
            f"the topic {topic.name} is missing, and this user may not create it: "
            f"create it with {topic.num_partitions} partitions ({config}), or allow the user to create topics"
        )
    return f"the topic {topic.name} could not be created: {message or for_code(code).__name__}"


async def _complete_partitions(admin: AIOKafkaAdminClient, wanted: Sequence[NewTopic]) -> dict[str, str]:
    """Adds partitions to a topic that the broker created by itself, on a client's look-up, with its default number.

    Returns why topics cannot be used.
    """
    by_name = {topic.name: topic.num_partitions for topic in wanted}
    unusable: dict[str, str] = {}
    for found in await admin.describe_topics(list(by_name)) if by_name else ():
        name, partitions, code = found["topic"], len(found["partitions"]), found["error_code"]
        if code in _NOT_AUTHORIZED:
            unusable[name] = f"this user may not use the topic {name}: allow the user to describe, read and write it"
        elif partitions > by_name[name]:
            _log.warning("topic has more partitions than its log", topic=name, partitions=partitions, used=by_name[name])
        elif partitions < by_name[name]:
            try:
                await admin.create_partitions({name: NewPartitions(by_name[name])})
                _log.info("topic partitions completed", topic=name, partitions=by_name[name])
            except InvalidPartitionsError:
                # The broker may not know yet about what was just created, and other processes complete topics as well.
                pass
            except KafkaError as error:
                if not partitions:
                    raise
                why = rejection(error)
                if error.errno in _NOT_AUTHORIZED:
                    why = "this user may not add any: add them, or allow the user to alter topics"
                unusable[name] = f"the topic {name} has {partitions} partitions, its log {by_name[name]}, and {why}"
    return unusable


async def _configure(admin: AIOKafkaAdminClient, existing: Sequence[NewTopic]) -> None:
    """Sets the configuration of topics that differs from the settings; logs what it changes, and what it may not change."""
    differing: dict[str, dict[str, str]] = {}
    wanted = {topic.name: topic.topic_configs for topic in existing}
    for name, entries in (await _configurations(admin, list(wanted))).items():
        found = {entry.name: entry.value for entry in entries}
        if changes := {key: value for key, value in wanted[name].items() if key in found and found[key] != value}:
            before = {key: found[key] for key in changes}
            _log.warning("topic configured otherwise", topic=name, found=before, wanted=changes)
            # The request replaces the whole configuration of a topic: what is set for it besides is sent again.
            differing[name] = {entry.name: entry.value for entry in entries if entry.is_own} | changes
    if not differing:
        return
    try:
        resources = [ConfigResource(ConfigResourceType.TOPIC, name, config) for name, config in differing.items()]
        results = [found for response in await admin.alter_configs(resources) for found in response.resources]
    except (KafkaError, NotImplementedError) as error:  # the latter if client and broker have no version in common
        _log.warning("topics not configured", topics=list(differing), why=reason(error))
        return
    for code, message, _, name in results:
        if code:
            _log.warning("topic not configured", topic=name, why=message or for_code(code).__name__)
        else:
            _log.info("topic configured", topic=name)


class _Entry(NamedTuple):
    """An entry of a topic's configuration."""

    name: str
    value: str
    is_own: bool
    """Whether it is set for the topic, and is not the broker's default."""

    @classmethod
    def of(cls, version: int, entry: Sequence[Any]) -> Self:
        """Returns an entry of a response; its fourth field is whether it is a default, and since version 1 its source."""
        name, value, _, source, *_ = entry
        return cls(name, value, source == _SET_FOR_THE_TOPIC if version else not source)


async def _configurations(admin: AIOKafkaAdminClient, topics: Sequence[str]) -> Mapping[str, Sequence[_Entry]]:
    """Returns the entries of each topic's configuration that this user may read."""
    if not topics:
        return {}
    try:
        described = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in topics])
    except (KafkaError, NotImplementedError) as error:
        _log.info("topics not compared with the settings", why=reason(error))
        return {}
    return {
        name: [_Entry.of(response.API_VERSION, entry) for entry in entries]
        for response in described
        for code, _, _, name, entries in response.resources
        if not code
    }


def _wanted(settings: Settings, catalog: Catalog, context: ContextName) -> Iterator[_Wanted]:
    topics, size = Topics(settings, catalog), settings.max_record_bytes
    # Explicitly not compacted: a compacted topic would lose all but the newest event of each stream.
    records = {"max.message.bytes": str(size), "cleanup.policy": "delete"}
    events = {"retention.ms": _retention(settings.events_retention_hours), **records}
    commands = {"retention.ms": _retention(settings.commands_retention_hours), **records}
    dead_letters = {"retention.ms": "-1", **records, "max.message.bytes": str(size + ORIGIN_BYTES)}
    partitions = catalog.context(context).partitions

    def wanted(
        kind: Kind, name: str, config: Mapping[str, str], *, count: int = partitions, is_anothers: bool = False
    ) -> _Wanted:
        return _Wanted(kind, NewTopic(name, count, settings.replication_factor, topic_configs=config), is_anothers)

    yield wanted("log", topics.events(context), events)
    yield wanted("log", topics.commands(context), commands)
    yield wanted("log", topics.dead_letters(context), dead_letters)
    yield wanted("log", topics.signed_heads(context), {"cleanup.policy": "compact"}, count=1)
    for name in {topics.integration(one.topic): None for one in catalog.outgoing(context)}:
        yield wanted("outgoing", name, events)
    for one in catalog.incoming(context):
        # What others send is in the clear, and is kept as long as commands are.
        yield wanted("incoming", topics.integration(one.topic), commands, is_anothers=True)
        yield wanted("incoming", topics.integration_dead_letters(one.topic), dead_letters)


def _retention(hours: int) -> str:
    return "-1" if hours < 0 else str(hours * _HOUR_MS)
