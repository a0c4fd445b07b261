"""The data folder of a stack: created when needed, private, and locked, so that one stack at a time uses it."""

import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.console.endpoints import STATE_FILE, running_stack
from schemas.errors import Conflict, Misconfigured

_WRITTEN = frozenset({"broker", "kafka", "keys", "lock", "logs", "mail", "pgpass", STATE_FILE})
_POSTGRES = frozenset({"postgres", "postgres.unfinished"})


@contextmanager
def locked_folder(given: Path | None) -> Iterator[Path]:
    """Yields the absolute path of the folder while it is locked; without one given, of a new folder that is removed later.

    Raises `Misconfigured` if the folder cannot be used, and `Conflict` if another stack uses it.
    """
    folder = Path(tempfile.mkdtemp(prefix="caudal-")) if given is None else given.resolve()
    try:
        with _lock_file(folder) as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Conflict(_in_use(folder)) from None
            tighten(folder)
            yield folder
    finally:
        if given is None:
            shutil.rmtree(folder, ignore_errors=True)


def tighten(folder: Path) -> None:
    """Takes all rights of other users from what a stack has written to a folder, and from the folder if it holds nothing else.

    PostgreSQL keeps its own data private, and another user may own it.
    """
    names = {path.name for path in folder.iterdir()}
    if names <= _WRITTEN | _POSTGRES:
        _make_private(folder)
    for name in names & _WRITTEN:
        _make_private(folder / name)
        for place, folders, files in os.walk(folder / name):
            for inside in (*folders, *files):
                _make_private(Path(place, inside))


def _make_private(path: Path) -> None:
    mode = path.lstat().st_mode
    if mode & 0o077 and not stat.S_ISLNK(mode):
        path.chmod(stat.S_IMODE(mode) & 0o700)


@contextmanager
def _lock_file(folder: Path) -> Iterator[int]:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (folder / "lock").open("w")
    except OSError as error:
        why = "it is a file" if isinstance(error, FileExistsError) else (error.strerror or str(error)).lower()
        raise Misconfigured(f"the data folder {folder} cannot be used: {why}; name another one with --data-dir") from error
    with lock:
        yield lock.fileno()


def _in_use(folder: Path) -> str:
    other = running_stack(folder)
    which = f" as process {other.pid}" if other else " and is still starting"
    return f"a stack with the data in {folder} runs already{which}; stop it, or name another folder with --data-dir"
