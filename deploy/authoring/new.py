"""``caudal new NAME``: writes a package with a system that runs, and its tests."""

import keyword
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path
from string import Template

from deploy.console.printing import lines
from schemas.errors import AlreadyExists, Misconfigured
from schemas.system import System, check_system
from streams.discovery import installed_catalog

_TEMPLATES = Path(__file__).parent / "templates"
_MODULES = ("schemas", "aggregates", "projectors", "command_api", "query_api")
_LANGUAGE = "from {name}.schemas import AddTask, FinishTask, ReopenTask, TaskAdded, TaskFinished, TaskReopened"
_SAGA_ROW = "\n| `{name}/sagas.py` | the saga: what it does after events and timers, and how it is compensated |"


def new(name: str, parent: Path, *, with_saga: bool) -> int:
    """Writes the package into a folder of its name and prints what comes next.

    Raises `Misconfigured` for a name that no new system can have, and `AlreadyExists` if the folder is there.
    """
    check_name(name)
    folder = parent / name
    if folder.exists():
        raise AlreadyExists(f"{folder} is there already: choose another name, or remove it")
    for path, text in files(name, with_saga=with_saga).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    lines().print("\n".join(_next_steps(name, os.path.relpath(Path(sys.executable).parent, folder))), markup=False)
    return 0


def check_name(name: str) -> None:
    """Raises `Misconfigured` if a package of this name could not be imported, or would hide another module or system."""
    check_system(System(name, ()))
    if keyword.iskeyword(name):
        raise Misconfigured(f"{name!r} is a keyword of Python, so no package can have it: choose another name")
    if name in installed_catalog().systems:
        raise Misconfigured(f"the system {name!r} is installed already: choose another name")
    if name in sys.stdlib_module_names or name == "tests" or find_spec(name) is not None:
        raise Misconfigured(f"{name!r} is the name of a module that is installed already: choose another name")
    with suppress(PackageNotFoundError):
        distribution(name)
        raise Misconfigured(f"{name!r} is the name of a package that is installed already: choose another name")


def files(name: str, *, with_saga: bool) -> Mapping[str, str]:
    """Returns the package's files, by path."""
    own_imports = [*((f"from {name}.sagas import DEADLINE",) if with_saga else ()), _LANGUAGE.format(name=name)]
    values = {
        "name": name,
        "own_imports": "\n".join(own_imports),
        "try_it": f"{f'caudal try {name}':<23}",
        "saga_row": _SAGA_ROW.format(name=name) if with_saga else "",
        "saga_argument": "\n    sagas=(DEADLINE,)," if with_saga else "",
    }
    return {
        path: Template((_TEMPLATES / f"{template}.template").read_text()).substitute(values)
        for path, template in _paths(name, with_saga=with_saga)
    } | {f"{name}/__init__.py": "", f"{name}/py.typed": ""}


def _paths(name: str, *, with_saga: bool) -> Iterator[tuple[str, str]]:
    yield from (("pyproject.toml", "pyproject.toml"), ("README.md", "README.md"))
    for module in (*_MODULES, *(("sagas",) if with_saga else ())):
        yield f"{name}/{module}.py", f"{module}.py"
    for test in ("test_decisions", "test_projectors", *(("test_sagas",) if with_saga else ())):
        yield f"tests/{test}.py", f"{test}.py"


def _next_steps(name: str, programs: str) -> Iterator[str]:
    """Yields the lines of what to do next; ``programs`` is the folder of this environment's programs."""
    yield f"{name} is written. Next:"
    yield ""
    yield f"  cd {name}"
    yield f"  {programs}/python -m pip install --no-build-isolation --editable '.[dev]'"
    yield f"  {programs}/caudal schemas record   # records the shapes of its events: commit them"
    yield f"  {programs}/caudal check            # do its parts fit together?"
    yield f"  {programs}/python -m pytest        # its own tests, without a database"
    yield f"  {programs}/caudal try {name:<13}# runs it in memory: type commands"
    yield f"  CAUDAL_SYSTEMS={name} {programs}/caudal up"
