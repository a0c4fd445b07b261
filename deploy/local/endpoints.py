"""Where a running local stack can be reached: what it writes down in its data folder for other commands."""

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

from streams.settings import Settings

STATE_FILE = "stack.json"


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where a running stack can be reached."""

    command_api: str
    query_api: str
    postgres: str
    brokers: str
    data_dir: str
    log_dir: str
    ports: Mapping[str, int]
    """Port of each process; the worker's, the relay's and the projectors' serve health and metrics."""
    pid: int
    """The supervisor's."""

    def as_json(self) -> str:
        return orjson.dumps(asdict(self)).decode()

    @property
    def environment(self) -> dict[str, str]:
        """The settings with which a process joins this stack."""
        return {
            "CAUDAL_WRITE_DSN": self.postgres,
            "CAUDAL_BROKERS": self.brokers,
            # Whatever the shell is set up for, a local stack keeps to its own databases.
            "CAUDAL_READ_DSN": self.postgres,
            "CAUDAL_WRITE_DSNS": "{}",
            "CAUDAL_READ_DSNS": "{}",
            "CAUDAL_SIGNING_KEY": str(self.signing_key),
        }

    @property
    def signing_key(self) -> Path:
        """The key with which this stack signs its logs' heads."""
        return Path(self.data_dir) / "keys" / "signing.pem"

    @property
    def public_key(self) -> Path:
        """The key with which anyone can check that."""
        return Path(self.data_dir) / "keys" / "public.pem"

    def applied_to(self, settings: Settings) -> Settings:
        """Settings with which this process joins the stack."""
        own = {"write_dsn": self.postgres, "read_dsn": self.postgres, "write_dsns": {}, "read_dsns": {}}
        return settings.model_copy(update={**own, "brokers": self.brokers})


def running_stack(data_dir: Path) -> Endpoints | None:
    """The stack that runs with its data in this folder, where one does."""
    try:
        found = Endpoints(**orjson.loads((data_dir / STATE_FILE).read_bytes()))
        os.kill(found.pid, 0)
    except (FileNotFoundError, ProcessLookupError, PermissionError, orjson.JSONDecodeError, TypeError):
        return None
    return found
