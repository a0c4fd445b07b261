"""The clocks of processes, each of which can be moved while they run (libfaketime)."""

from pathlib import Path

_SITE = Path(__file__).with_name("site")
_LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))


class Clocks:
    """A clock for each process; the monotonic clock is left alone, as in a machine whose clock is set."""

    def __init__(self, folder: Path) -> None:
        """``folder`` is one that every user can reach: PostgreSQL may run as another."""
        self._folder = folder

    @property
    def can_move(self) -> bool:
        """Whether libfaketime is installed."""
        return bool(_LIBRARIES)

    def environment(self, name: str) -> dict[str, str]:
        """Returns the environment in which a process reads the clock ``name``, which is right at first."""
        if not self.can_move:
            return {}
        self.move(0, name)
        return {
            "LD_PRELOAD": str(_LIBRARIES[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self._folder / name),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_FORCE_MONOTONIC_FIX": "0",  # else waits until a time of the monotonic clock return at once
            "NO_FAKE_STAT": "1",
            "PYTHONPATH": str(_SITE),
        }

    def move(self, seconds: float, *names: str) -> None:
        """Sets clocks to so many seconds ahead of the true time, or behind it if negative. Processes see it within a second."""
        for name in names:
            written = self._folder / f"{name}.new"
            written.write_text(f"{seconds:+g}\n")
            written.chmod(0o644)
            written.replace(self._folder / name)
