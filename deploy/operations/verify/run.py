"""Verification: logs first, then topics, views and files, which are compared with the logs."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict
from functools import partial

from pydantic import Field

from deploy.operations.operation import Operation
from deploy.operations.projections.rebuilding import rebuild_now
from deploy.operations.run import Parameters, Result, Run, Show
from deploy.operations.verify import erased_subjects
from deploy.operations.verify.files import contexts_with_files, verify_files
from deploy.operations.verify.integration import verify_integration
from deploy.operations.verify.log import verifier_of, verify_log
from deploy.operations.verify.report import Part, Report, conclusion, say_report
from deploy.operations.verify.topic import verify_topic
from deploy.operations.verify.view import verify_view
from projectors.discovery import installed
from schemas.access import Access
from schemas.catalog import Catalog
from schemas.errors import NotFound
from schemas.system import ContextName
from streams.encryption.subject_keys import SubjectKeys
from streams.log.reading import PostgresLog

ALL: tuple[Part, ...] = ("log", "topic", "view", "file")


class Verify(Parameters):
    """The parts to verify."""

    parts: tuple[Part, ...] = ALL
    names: tuple[str, ...] = Field(default=(), description="Contexts or views; all without any.")
    require_signed: bool = Field(
        default=False, description="Whether a log that could not be compared with signed heads counts as wrong."
    )
    repair: bool = Field(
        default=False, description="Repair topics and views from the logs, and erase subjects again whose keys are back."
    )


async def verify(run: Run, wanted: Verify) -> Result:
    """Proves that nothing was lost, doubled, altered or invented: in logs, topics, views and files.

    Only a run that is applied is recorded, and makes repairs. Raises `Unavailable` and `NotFound`.
    """
    contexts = _contexts(wanted, run.installation.catalog)
    if run.is_applied:
        await run.begin()
    reports = []
    async for report in _Verification(run, wanted, repair=wanted.repair and run.is_begun).reports(contexts):
        say_report(report, run)
        reports.append(report)
    wrong = [f"{report.part} {report.name}" for report in reports if not report.is_right]
    answer = conclusion(reports)
    run.say(answer, "bad" if wrong else "warning" if any(report.exceptions for report in reports) else "good")
    after = {"conclusion": answer, "events": sum(report.events for report in reports), "wrong": wrong}
    return Result(answer if wrong else None, after, [asdict(report) for report in reports])


class _Verification:
    """One verification of an installation."""

    def __init__(self, run: Run, wanted: Verify, *, repair: bool) -> None:
        self._run, self._wanted, self._repair = run, wanted, repair
        self._settings, self._catalog = run.settings, run.installation.catalog
        reader = run.installation.within("caudal_reader")
        self._readers = reader.databases
        self._logs: Mapping[ContextName, PostgresLog] = {
            context: PostgresLog(reader.log_store(context), context) for context in self._catalog.contexts
        }

    async def reports(self, contexts: list[ContextName]) -> AsyncIterator[Report]:
        """Yields a report on each part."""
        parts = self._wanted.parts
        if "log" in parts:
            for context in contexts:
                yield await self._log(context)
        if "topic" in parts:
            for context in contexts:
                yield await verify_topic(
                    *(self._settings, self._catalog, self._readers, context),
                    self._show(f"topic {context}"),
                    repair=self._repair,
                )
                async for report in verify_integration(
                    self._settings, self._catalog, self._readers, context, repair=self._repair
                ):
                    yield report
        if "view" in parts:
            async for report in self._views():
                yield report
        for context in contexts_with_files(contexts, self._catalog) if "file" in parts else ():
            show = self._show(f"files of {context}")
            yield await verify_files(self._settings, self._catalog, context, self._logs[context], show)

    async def _log(self, context: ContextName) -> Report:
        verifier = verifier_of(self._run.installation)
        report = await verify_log(self._settings, self._catalog, self._readers, context, verifier, self._show(f"log {context}"))
        if context == erased_subjects.HOME:
            keys = SubjectKeys(self._settings, self._run.installation.within("caudal_writer").databases)
            await erased_subjects.verify_erased(report, self._logs[context], keys, repair=self._repair)
        if self._wanted.require_signed:
            report.reject_unverified()
        return report

    async def _views(self) -> AsyncIterator[Report]:
        rebuild = partial(rebuild_now, self._run.installation) if self._repair else None
        for projection in installed(self._catalog):
            name = projection.full_name
            if not self._wanted.names or name in self._wanted.names:
                installation = self._run.installation.within("caudal_projector")
                yield await verify_view(installation, self._logs, projection, self._show(f"view {name}"), rebuild)

    def _show(self, what: str) -> Show:
        return self._run.progress_of(what, "events")


def _contexts(wanted: Verify, catalog: Catalog) -> list[ContextName]:
    if "view" in wanted.parts and wanted.names:
        views = {projection.full_name for projection in installed(catalog)}
        if unknown := set(wanted.names) - views:
            raise NotFound(f"there is no view {', '.join(sorted(unknown))}; there are {', '.join(sorted(views))}")
        return []
    contexts = [ContextName.parse(name) for name in wanted.names] or list(catalog.contexts)
    if unknown_contexts := set(contexts) - set(catalog.contexts):
        there = ", ".join(map(str, catalog.contexts))
        raise NotFound(f"there is no context {', '.join(map(str, sorted(unknown_contexts)))}; there are {there}")
    return contexts


VERIFY = Operation("verify", Verify, verify, access=Access.to("operator", "auditor"), is_reading=True)
