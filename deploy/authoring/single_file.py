"""One file as a system: its tuples are found by the names that packages use for them."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from aggregates.system import Domain
from deploy.authoring.check import attempt
from deploy.authoring.memory_system import MemorySystem
from schemas.catalog import System
from schemas.errors import Misconfigured

_MODULE = "system_in_one_file"


def read_file(path: Path) -> MemorySystem:
    """Runs a file and returns the system that it declares; raises `Misconfigured` with the place of a fault.

    The file declares ``SYSTEM``, ``DECISIONS`` and, if it has any, ``POLICIES``, ``SAGAS`` and ``PROJECTIONS``.
    """
    module, problem = attempt(lambda: _import(path))
    if module is None:
        raise Misconfigured(problem)
    system = getattr(module, "SYSTEM", None)
    if not isinstance(system, System):
        raise Misconfigured(f"{path} declares no SYSTEM: add SYSTEM = System(name=…, contexts=(…,), views=(…,))")
    domain = Domain(_tuple(module, "DECISIONS"), _tuple(module, "POLICIES"), _tuple(module, "SAGAS"))
    made, problem = attempt(lambda: MemorySystem(system, domain, _tuple(module, "PROJECTIONS")))
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


def _tuple(module: ModuleType, name: str) -> tuple[Any, ...]:
    found = getattr(module, name, ())
    if not isinstance(found, tuple):
        raise Misconfigured(f"{name} is not a tuple: is a comma missing?")
    return found
