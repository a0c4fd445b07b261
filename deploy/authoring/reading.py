"""The systems that can be tried: one file, which declares under the names that packages use, or an installed package."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from aggregates.system import Domain
from deploy.authoring.check import attempt
from deploy.authoring.memory_system import MemorySystem
from projectors.discovery import installed
from schemas.errors import Misconfigured
from schemas.system import System
from streams.discovery import checked_rows, declared_domains, installed_catalog, installed_names

_MODULE = "system_in_one_file"


def read_system(place: str) -> MemorySystem:
    """Returns a system in memory, by its file or by the name under which it is installed; raises `Misconfigured`."""
    path = Path(place)
    return read_file(path) if path.suffix == ".py" or path.is_file() else read_installed(place)


def read_installed(name: str) -> MemorySystem:
    """Returns an installed system in memory; raises `Misconfigured` if there is none of this name, or it cannot work."""
    if name not in (known := installed_names()):
        raise Misconfigured(f"{name} is no file and no installed system; installed are {', '.join(known) or 'none'}")
    made, problem = attempt(lambda: _installed(name))
    if made is None:
        raise Misconfigured(problem)
    return made


def _installed(name: str) -> MemorySystem:
    catalog = installed_catalog([name])
    domain = declared_domains(catalog).get(name, Domain(decisions=()))
    return MemorySystem(catalog.systems[name], domain, [one for one in installed(catalog) if one.system == name])


def read_file(path: Path) -> MemorySystem:
    """Runs a file and returns the system that it declares; raises `Misconfigured` with the place of a fault.

    The file declares ``SYSTEM``, ``DOMAIN`` and, if it has any, ``PROJECTIONS``.
    """
    if not path.is_file():
        raise Misconfigured(f"there is no file {path}")
    module, problem = attempt(lambda: _import(path))
    if module is None:
        raise Misconfigured(problem)
    system, domain = getattr(module, "SYSTEM", None), getattr(module, "DOMAIN", None)
    if not isinstance(system, System):
        raise Misconfigured(f"{path} declares no SYSTEM: add SYSTEM = System(name=…, contexts=(…,), views=(…,))")
    if not isinstance(domain, Domain):
        raise Misconfigured(f"{path} declares no DOMAIN: add DOMAIN = Domain(decisions=(…,))")
    projections = checked_rows("PROJECTIONS", getattr(module, "PROJECTIONS", ()))
    made, problem = attempt(lambda: MemorySystem(system, domain, projections))
    if made is None:
        raise Misconfigured(problem)
    return made


def _import(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(_MODULE, path)
    if spec is None or spec.loader is None:
        raise Misconfigured(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[_MODULE] = module  # the classes' annotations are resolved in it
    spec.loader.exec_module(module)
    return module
