"""One file as a system: it declares under the names that packages use."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from aggregates.system import Domain
from deploy.authoring.check import attempt
from deploy.authoring.memory_system import MemorySystem
from schemas.errors import Misconfigured
from schemas.system import System
from streams.discovery import checked_rows

_MODULE = "system_in_one_file"


def read_file(path: Path) -> MemorySystem:
    """Runs a file and returns the system that it declares; raises `Misconfigured` with the place of a fault.

    The file declares ``SYSTEM``, ``DOMAIN`` and, if it has any, ``PROJECTIONS``.
    """
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
