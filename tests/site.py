"""The documentation's site: `make docs` builds it from the documents, the docstrings and the code, without the network."""

import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import orjson
import typer.main
from prometheus_client import REGISTRY
from pydantic import SecretStr
from sphinx.application import Sphinx

from command_api.http.openapi import describe as describe_commands
from command_api.http.paths import installed as own_paths
from deploy.cli import app
from deploy.operations_api.openapi import describe as describe_operations
from query_api.http.openapi import describe as describe_queries
from query_api.queries.discovery import installed as own_queries
from streams.asyncapi.document import describe_topics
from streams.discovery import installed_catalog
from streams.settings import PREFIX, Settings
from tests.docs.test_metrics import PROCESSES

ROOT = Path(__file__).parents[1]
DOCS, LOGO = ROOT / "docs", ROOT / "deploy" / "operations_page" / "files" / "logo.svg"
SITE = ROOT / ".site"
CONFIGURATION: Mapping[str, Any] = {
    "project": "Caudal",
    "copyright": "the authors of Caudal",
    "version": version("caudal"),
    "release": version("caudal"),
    "extensions": ["myst_parser", "sphinx.ext.autodoc"],
    "exclude_patterns": ["README.md"],
    "html_theme": "furo",
    "html_title": "Caudal",
    "html_favicon": "logo.svg",
    "html_show_sphinx": False,
    "html_copy_source": False,
    "smartquotes": False,
    "myst_heading_anchors": 4,
    "suppress_warnings": ["misc.highlighting_failure"],  # blocks with an ellipsis are no code of their language
    "default_role": "code",
    "autodoc_member_order": "bysource",
    "autodoc_default_options": {"members": True, "show-inheritance": True, "exclude-members": "model_config"},
    "python_use_unqualified_type_names": True,
}
"""Of Sphinx."""
PARTS: Mapping[str, Sequence[str]] = {
    "Begin": ("overview", "terms", "own_system", "sagas", "eventsourcing"),
    "Use": ("http", "gateways", "integration_topics", "systems/README"),
    "Operate": ("operations", "command_line", "console", "production", "recovery", "security"),
    "Understand": ("log", "subscriptions", "reliability", "performance", "decisions/index"),
    "Reference": (
        "reference/author",
        "reference/settings",
        "reference/metrics",
        "reference/command_line",
        "reference/documents",
    ),
}
"""The pages of the menu."""
AUTHOR_MODULES = (
    *("schemas.message", "schemas.view", "schemas.system", "schemas.access", "schemas.sensitive", "schemas.integration"),
    *("aggregates.decision", "aggregates.stream", "aggregates.system", "aggregates.policy", "aggregates.sagas.definition"),
    *("projectors.projection", "query_api.queries.query", "query_api.queries.question", "command_api.http.paths"),
    "command_api.handling.activities",
)
"""Modules from which the author of a system imports."""
SUMMARY = "CQRS and event sourcing in async Python, on PostgreSQL and Kafka-compatible topics."
_LINK = re.compile(r"(!?)\[([^\]]*)\]\((?!https?:|#|mailto:)([^)#\s]*)(#[^)\s]*)?\)")


def build(target: Path) -> int:
    """Builds the site into a folder; returns the number of warnings, each of which is printed."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "source"
        assemble(source)
        made = Sphinx(
            source,
            None,
            target,
            Path(folder) / "trees",
            "html",
            confoverrides=dict(CONFIGURATION),
            status=None,
            warning=sys.stderr,
        )
        made.build()
        for name, text in _for_language_models(source).items():
            (target / name).write_text(text)
        return made._warncount


def assemble(source: Path) -> None:
    """Writes the pages of the site: the documents as they are, and the reference that is made of code."""
    shutil.copytree(DOCS, source, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(LOGO, source / "logo.svg")
    for path in sorted(source.rglob("*.md")):
        path.write_text(_with_links(path.read_text(), DOCS / path.relative_to(source), source))
    (source / "overview.md").write_text(_with_links((ROOT / "README.md").read_text(), ROOT / "README.md", source))
    documents = (source / "README.md").read_text()
    (source / "terms.md").write_text("# Terms\n" + documents.partition("## Terms")[2])
    (source / "index.md").write_text(_index())
    decisions = [path.stem for path in sorted((source / "decisions").glob("0*.md"))]
    (source / "decisions" / "index.md").write_text(_page("Decisions", "Why it is as it is.", decisions))
    systems = source / "systems" / "README.md"
    others = [path.stem for path in sorted(systems.parent.glob("*.md")) if path != systems]
    systems.write_text(systems.read_text() + _tree(others))
    reference = source / "reference"
    reference.mkdir()
    (reference / "author.md").write_text(_author())
    (reference / "settings.md").write_text(_settings())
    (reference / "metrics.md").write_text(_metrics())
    (reference / "command_line.md").write_text(_command_line())
    (reference / "documents.md").write_text(_documents(source / "_documents"))


def _for_language_models(source: Path) -> Mapping[str, str]:
    """Returns ``llms.txt``, a list of the pages with what each is about, and ``llms-full.txt``, which has them whole."""
    pages = {page: (source / f"{page}.md").read_text() for pages in PARTS.values() for page in pages}
    listed = []
    for caption, names in PARTS.items():
        listed += [
            f"\n## {caption}\n",
            *(f"- [{_title(pages[one])}]({one}.html): {_first_sentence(pages[one])}" for one in names),
        ]
    whole = "\n\n".join(text.strip() for page, text in pages.items() if not page.startswith("reference/author"))
    return {"llms.txt": f"# Caudal\n\n> {SUMMARY}\n" + "\n".join(listed) + "\n", "llms-full.txt": whole + "\n"}


def _title(page: str) -> str:
    return page.partition("\n")[0].removeprefix("# ")


def _first_sentence(page: str) -> str:
    paragraphs = [part for part in page.split("\n\n")[1:] if part.strip() and part.lstrip("\n")[0] not in "|`#!:<- "]
    return " ".join(paragraphs[0].split()).partition(". ")[0].rstrip(".:") + "." if paragraphs else ""


def _with_links(text: str, origin: Path, source: Path) -> str:
    """Returns a document whose links to other files of the repository are their names: the site has only the documents."""

    def link(found: re.Match[str]) -> str:
        image, words, path, anchor = found.groups()
        target = (origin.parent / path).resolve()
        if target == ROOT / "README.md":
            return f"{image}[{words}]({_up(origin, source)}overview.md{anchor or ''})"
        if target == DOCS / "README.md":
            return f"[{words}]({_up(origin, source)}index.md)"
        if target == DOCS / "decisions":
            return f"[{words}]({_up(origin, source)}decisions/index.md)"
        if target.is_file() and target.is_relative_to(DOCS):
            return f"{image}[{words}]({_up(origin, source)}{target.relative_to(DOCS)}{anchor or ''})"
        return f"{words} (`{target.relative_to(ROOT)}`)"

    return _LINK.sub(link, text)


def _up(origin: Path, source: Path) -> str:
    """Returns the way from a page to the top of the site."""
    return "../" * (len(origin.relative_to(DOCS).parts) - 1) if origin.is_relative_to(DOCS) else ""


def _index() -> str:
    titles = {"overview": "Overview <overview>"}
    parts = "\n".join(_tree([titles.get(page, page) for page in pages], caption) for caption, pages in PARTS.items())
    return (
        f"# Caudal\n\n{SUMMARY}\n\n"
        "- **New here?** [Overview and five minutes](overview.md), then [write a system](own_system.md).\n"
        "- **A broker died at night?** [Recovery](recovery.md), and [the operator's page](operations.md).\n"
        "- **Is it true?** [Reliability](reliability.md) and [performance](performance.md), each figure with its command.\n"
        f"{parts}\n"
    )


def _tree(pages: Sequence[str], caption: str = "") -> str:
    title = f":caption: {caption}\n" if caption else ""
    return "\n```{toctree}\n:maxdepth: 1\n" + title + "\n" + "\n".join(pages) + "\n```\n"


def _page(title: str, text: str, pages: Sequence[str]) -> str:
    return f"# {title}\n\n{text}\n{_tree(pages)}"


def _author() -> str:
    modules = "\n".join(f"## `{name}`\n\n```{{eval-rst}}\n.. automodule:: {name}\n```\n" for name in AUTHOR_MODULES)
    return f"# What a system's author imports\n\n[Write a system](../own_system.md) shows how they work together.\n\n{modules}"


def _settings() -> str:
    rows = "\n".join(
        f"| `{PREFIX}{name.upper()}` | {_default(field)} | {field.description or ''} |"
        for name, field in Settings.model_fields.items()
    )
    return f"# Settings\n\nEnvironment variables of every process.\n\n| variable | default | |\n|---|---|---|\n{rows}\n"


def _default(field: Any) -> str:
    value = field.get_default()
    if value is None or field.default_factory is not None:
        return ""
    return f"`{value.get_secret_value() if isinstance(value, SecretStr) else value}`"


def _metrics() -> str:
    assert PROCESSES, "their import registers their metrics"
    own = sorted((one for one in REGISTRY.collect() if one.name.startswith("caudal_")), key=lambda one: one.name)
    rows = "\n".join(f"| `{one.name}` | {one.type} | {one.documentation} |" for one in own)
    return f"# Metrics\n\n`/metrics` of every process has its own.\n\n| metric | kind | |\n|---|---|---|\n{rows}\n"


def _command_line() -> str:
    return "# The commands of `caudal`\n\n" + "\n".join(_of_group(typer.main.get_command(app), "caudal"))


def _of_group(command: Any, path: str) -> Iterator[str]:
    inner = getattr(command, "commands", None)
    if inner is not None:
        for name, each in sorted(inner.items()):
            yield from _of_group(each, f"{path} {name}")
        return
    yield f"## `{path}`\n\n{command.help or ''}\n"
    options = [parameter for parameter in command.params if not getattr(parameter, "hidden", False)]
    for one in options:
        is_option = one.param_type_name == "option"
        names = ", ".join(f"`{name}`" for name in one.opts) if is_option else f"`{one.metavar or one.name.upper()}`"
        yield f"- {names}: {getattr(one, 'help', None) or ''}"
    yield ""


def _documents(folder: Path) -> str:
    """Writes the documents of all systems; returns the page that offers them."""
    folder.mkdir()
    lines = [f"- {{download}}`{what} <../_documents/{name}>`" for name, what in write_documents(folder).items()]
    listed = "\n".join(lines)
    said = "Of all systems that ship with Caudal; a process serves those of its own systems."
    return f"# Documents for programs\n\n{said}\n\n{listed}\n"


def write_documents(folder: Path) -> Mapping[str, str]:
    """Writes the OpenAPI and AsyncAPI documents of all systems into a folder; returns what each file is about, by its name."""
    catalog = installed_catalog()
    made = {
        "command_api.json": ("the command API (OpenAPI 3.1)", describe_commands(catalog, own_paths(catalog))),
        "query_api.json": ("the query API (OpenAPI 3.1)", describe_queries(catalog, own_queries(catalog))),
        "operations_api.json": ("the operations API (OpenAPI 3.1)", describe_operations()),
        "asyncapi.json": ("the topics (AsyncAPI 3.1)", describe_topics(Settings(), catalog)),
    }
    for name, (_, document) in made.items():
        (folder / name).write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2))
    return {name: what for name, (what, _) in made.items()}


if __name__ == "__main__":
    sys.exit(1 if build(Path(sys.argv[1]) if len(sys.argv) > 1 else SITE) else 0)
