"""The run of ``caudal verify``: logs first, then topics, views and files, which are compared with the logs."""

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from deploy.operations.projections.rebuilding import rebuild_quietly
from deploy.operations.verify import erased_subjects
from deploy.operations.verify.files import contexts_with_files, verify_files
from deploy.operations.verify.integration import verify_integration
from deploy.operations.verify.log import verifier_of, verify_log
from deploy.operations.verify.report import Part, Report, Reporter
from deploy.operations.verify.topic import verify_topic
from deploy.operations.verify.view import verify_view
from projectors.discovery import installed
from schemas.catalog import Catalog
from schemas.errors import NotFound
from schemas.system import ContextName
from streams.database.pools import Databases
from streams.database.store import Store
from streams.discovery import installed_catalog
from streams.encryption.subject_keys import SubjectKeys
from streams.installation import Installation
from streams.log.reading import PostgresLog
from streams.settings import Settings

ALL: tuple[Part, ...] = ("log", "topic", "view", "file")


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyOptions:
    """The options of a verification."""

    parts: Collection[Part] = ALL
    names: Sequence[str] = ()
    """Contexts or views; empty for all."""
    public_keys: Sequence[Path] = ()
    require_signed: bool = False
    """Whether a log that could not be compared with signed heads counts as wrong."""
    repair: bool = False


async def verify(options: VerifyOptions, data_dir: Path, settings: Settings, reporter: Reporter) -> int:
    """Prints a report on each part and the answer; returns 1 if anything is wrong. Raises `Unavailable` and `NotFound`."""
    reports = []
    async for report in _reports(options, data_dir, settings, reporter):
        reporter.print(report)
        reports.append(report)
    reporter.end(reports)
    return 0 if all(report.is_right for report in reports) else 1


async def _reports(options: VerifyOptions, data_dir: Path, settings: Settings, reporter: Reporter) -> AsyncIterator[Report]:
    catalog = installed_catalog(settings.systems)
    readers, projectors = Databases("caudal_reader", pool_size=2), Databases("caudal_projector", pool_size=2)
    writers = Databases("caudal_writer", pool_size=1)
    verifier = verifier_of(options.public_keys, data_dir, settings)
    contexts = _contexts(options, catalog)
    rebuild = partial(rebuild_quietly, settings=settings) if options.repair else None
    logs = {
        context: PostgresLog(Store.of_log(readers, settings.log_dsn(context), context), context) for context in catalog.contexts
    }
    try:
        if "log" in options.parts:
            for context in contexts:
                report = await verify_log(settings, catalog, readers, context, verifier, reporter)
                if context == erased_subjects.HOME:
                    await erased_subjects.verify_erased(
                        report, logs[context], SubjectKeys(settings, writers), repair=options.repair
                    )
                if options.require_signed:
                    report.reject_unverified()
                yield report
        if "topic" in options.parts:
            for context in contexts:
                yield await verify_topic(settings, catalog, readers, context, reporter, repair=options.repair)
                async for report in verify_integration(settings, catalog, readers, context, repair=options.repair):
                    yield report
        if "view" in options.parts:
            installation = Installation(settings, catalog, projectors)
            for projection in installed(catalog):
                if not options.names or projection.full_name in options.names:
                    yield await verify_view(installation, logs, projection, reporter, rebuild)
        for context in contexts_with_files(contexts, catalog) if "file" in options.parts else ():
            yield await verify_files(settings, catalog, context, logs[context], reporter)
    finally:
        await readers.close()
        await projectors.close()
        await writers.close()


def _contexts(options: VerifyOptions, catalog: Catalog) -> list[ContextName]:
    if "view" in options.parts and options.names:
        views = {projection.full_name for projection in installed(catalog)}
        if unknown := set(options.names) - views:
            raise NotFound(f"there is no view {', '.join(sorted(unknown))}; there are {', '.join(sorted(views))}")
        return []
    contexts = [ContextName.parse(name) for name in options.names] or list(catalog.contexts)
    if unknown_contexts := set(contexts) - set(catalog.contexts):
        there = ", ".join(map(str, catalog.contexts))
        raise NotFound(f"there is no context {', '.join(map(str, sorted(unknown_contexts)))}; there are {there}")
    return contexts
