"""Checks of an installation: each looks at one part that it needs, and says what is wrong with it and what to do."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal, NamedTuple

from deploy.console.printing import counted
from deploy.operations.installation import OpenInstallation
from deploy.operations.status.reading import WholeStatus, status
from schemas.errors import CaudalError
from streams.broker.clients import why_no_broker_answers
from streams.broker.provisioning import missing_topics
from streams.encryption.encryption import MasterKeys
from streams.integrity.signing import Signer
from streams.migrations.schema_state import missing_migrations
from streams.migrations.view_shapes import wrong_view_shapes
from streams.security.tokens import TokenIssuer

State = Literal["good", "attention", "down"]
TESTED_POSTGRES = 18
_TOLERANCE = timedelta(seconds=2)
"""The write side warns of the same difference of clocks."""
_SHOWN = 5
_OF_OTHERS = 0o077
"""The rights of a file for anybody but its owner."""


@dataclass(frozen=True, slots=True)
class Examined:
    """One part of an installation, and what was found."""

    part: str
    state: State
    found: str
    advice: str = ""


class Check(NamedTuple):
    """The check of one part."""

    part: str
    examine: Callable[[OpenInstallation], Awaitable[Sequence[Examined]]]
    """Raises the errors of what it looks at."""


async def examined(installation: OpenInstallation) -> list[Examined]:
    """Returns what every check finds: one that cannot look says why, unless an earlier one has the same cause."""
    parts = await asyncio.gather(*(_examined(check, installation) for check in CHECKS))
    found: dict[str, Examined] = {}
    for one in (one for of_check in parts for one in of_check):
        found.setdefault(one.found, one)
    return list(found.values())


async def _examined(check: Check, installation: OpenInstallation) -> Sequence[Examined]:
    try:
        return await check.examine(installation)
    except CaudalError as error:
        return [Examined(check.part, "down", error.detail)]


async def _systems(installation: OpenInstallation) -> Sequence[Examined]:
    systems = sorted({name.system for name in installation.catalog.contexts})
    return [Examined("systems", "good", f"{counted(len(systems), 'system')} with the engine's own: {', '.join(systems)}.")]


async def _databases(installation: OpenInstallation) -> Sequence[Examined]:
    databases = installation.within("caudal_reader").databases
    versions: dict[str, int] = {}
    for dsn in sorted(_dsns(installation)):
        async with databases.connection(dsn) as connection:
            versions[dsn] = int(await connection.fetchval("show server_version_num")) // 10_000
    old = [version for version in versions.values() if version < TESTED_POSTGRES]
    said = f"{counted(len(versions), 'database')} of PostgreSQL {', '.join(map(str, sorted(set(versions.values()))))} in reach."
    if old:
        return [Examined("databases", "attention", said, f"Caudal is tested with PostgreSQL {TESTED_POSTGRES}.")]
    return [Examined("databases", "good", said)]


async def _migrations(installation: OpenInstallation) -> Sequence[Examined]:
    missing = await missing_migrations(installation.within("caudal_owner"))
    if missing:
        return [Examined("migrations", "down", _some(missing), "caudal migrate")]
    return [Examined("migrations", "good", "Every schema has what this version needs.")]


async def _shapes(installation: OpenInstallation) -> Sequence[Examined]:
    wrong = await wrong_view_shapes(installation.within("caudal_reader"))
    if wrong:
        return [Examined("view shapes", "down", _some(wrong))]
    return [Examined("view shapes", "good", f"{counted(len(list(installation.catalog.views())), 'view')} as declared.")]


async def _clocks(installation: OpenInstallation) -> Sequence[Examined]:
    databases, differences = installation.within("caudal_reader").databases, []
    for dsn in _dsns(installation):
        async with databases.connection(dsn) as connection:
            before = datetime.now(UTC)
            at: datetime = await connection.fetchval("select clock_timestamp()")
            differences.append(min(abs(at - before), abs(at - datetime.now(UTC))))
    worst = max(differences)
    said = f"This machine and the databases differ by {worst.total_seconds():.1f} s."
    if worst > _TOLERANCE:
        return [Examined("clocks", "attention", said, "Timers fire by the earlier clock: synchronise both with NTP.")]
    return [Examined("clocks", "good", said)]


async def _broker(installation: OpenInstallation) -> Sequence[Examined]:
    if (why := await why_no_broker_answers(installation.settings)) is not None:
        return [Examined("broker", "down", why, "Set CAUDAL_BROKERS. Nothing is lost meanwhile: events wait in their logs.")]
    missing = await missing_topics(installation.settings, installation.catalog)
    if missing:
        said = f"{counted(len(missing), 'topic')} missing: {_some(missing)}"
        return [Examined("broker", "attention", said, "The relay and the worker create them, if they may.")]
    return [Examined("broker", "good", "It answers, and has every topic.")]


async def _keys(installation: OpenInstallation) -> Sequence[Examined]:
    return [*_signing_key(installation), *_token_keys(installation), *_master_keys(installation)]


def _signing_key(installation: OpenInstallation) -> Iterator[Examined]:
    if (name := installation.settings.signing_key) is None:
        yield Examined(
            "signing key", "attention", "Logs are not signed.", "caudal signing-key DIR, and set CAUDAL_SIGNING_KEY."
        )
        return
    yield _of_secret("signing key", Path(name), lambda: Signer(Path(name)), "Heads of logs can be signed.")


def _token_keys(installation: OpenInstallation) -> Iterator[Examined]:
    folder = installation.settings.token_keys
    if folder is None:
        if installation.settings.oidc_issuer is not None:
            yield Examined("token keys", "good", f"Tokens come from {installation.settings.oidc_issuer} alone.")
            return
        said = "Nobody can sign in: there is no key for tokens and no other issuer."
        yield Examined("token keys", "attention", said, "caudal token-keys add DIR, and set CAUDAL_TOKEN_KEYS.")
        return
    issuer = TokenIssuer(installation.settings)
    yield _of_secret("token keys", folder, lambda: issuer.issue("doctor"), "Tokens can be signed.")


def _master_keys(installation: OpenInstallation) -> Iterator[Examined]:
    settings = installation.settings
    if settings.master_key_file is None:
        yield _of_secret(
            "master keys",
            None,
            lambda: MasterKeys.parse(settings.master_keys.get_secret_value()),
            "Personal data can be encrypted.",
        )
        return
    path = settings.master_key_file
    yield _of_secret("master keys", path, lambda: MasterKeys.parse(_text(path)), "Personal data can be encrypted.")


def _of_secret(part: str, path: Path | None, use: Callable[[], object], said: str) -> Examined:
    """Tries a secret, and looks at who else may read the file or the folder that holds it."""
    try:
        use()
    except CaudalError as error:
        return Examined(part, "attention", error.detail)
    if path is not None and (seen := _read_by_others(path)):
        return Examined(part, "attention", f"{seen} can be read by other users.", f"chmod go= {seen}")
    return Examined(part, "good", said)


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError as error:
        raise CaudalError(f"{path} cannot be read: {error.strerror}") from error


def _read_by_others(path: Path) -> Path | None:
    """Returns the first file of secrets that others may read: a folder that they cannot enter keeps its files."""
    if path.is_dir():
        if not path.stat().st_mode & 0o011:
            return None
        return next((one for one in sorted(path.glob("*")) if one.is_file() and one.stat().st_mode & _OF_OTHERS), None)
    inside = not path.parent.stat().st_mode & 0o011
    return path if path.stat().st_mode & _OF_OTHERS and not inside else None


async def _access(installation: OpenInstallation) -> Sequence[Examined]:
    if installation.settings.profile == "seed" and installation.stack is None:
        said = "The profile `seed` is set: what its systems leave open needs no token."
        return [Examined("access", "attention", said, "Leave CAUDAL_PROFILE unset, unless clients without tokens need it.")]
    said = (
        "Open as in the documents that the systems come from: a local stack."
        if installation.stack
        else "Every call needs a token."
    )
    return [Examined("access", "good", said)]


async def _running(installation: OpenInstallation) -> Sequence[Examined]:
    found = await status(installation, WholeStatus())
    if found.health == "healthy":
        return [Examined("running", "good", found.sentence)]
    return [Examined("running", finding.severity, finding.what, finding.advice) for finding in found.findings]


def _dsns(installation: OpenInstallation) -> set[str]:
    settings, catalog = installation.settings, installation.catalog
    logs = {settings.log_dsn(context) for context in catalog.contexts}
    return logs | {settings.view_dsn(context) for context, _ in catalog.views()}


def _some(sentences: Sequence[str]) -> str:
    more = f"; and {len(sentences) - _SHOWN} more" if len(sentences) > _SHOWN else ""
    return "; ".join(sentences[:_SHOWN]) + more


CHECKS = (
    Check("systems", _systems),
    Check("databases", _databases),
    Check("migrations", _migrations),
    Check("view shapes", _shapes),
    Check("clocks", _clocks),
    Check("broker", _broker),
    Check("keys", _keys),
    Check("access", _access),
    Check("running", _running),
)
STYLES: Mapping[State, tuple[str, str]] = {
    "good": ("ok", "green"),
    "attention": ("look", "yellow"),
    "down": ("FAULT", "bold red"),
}
"""The word and the style of each state."""
