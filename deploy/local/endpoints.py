"""Where a running local stack can be reached: what it writes down in its data folder for other commands."""

import os
from collections.abc import Mapping, Sequence
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
    systems: Sequence[str] = ()
    """Those that run; none: every installed one."""
    fetch_backoff: bool = False
    """Whether the broker answers empty fetches at once, as the embedded one does."""

    def as_json(self) -> str:
        return orjson.dumps(asdict(self)).decode()

    @property
    def environment(self) -> dict[str, str]:
        """The settings with which a process joins this stack."""
        return {
            "CAUDAL_WRITE_DSN": self.postgres,
            "CAUDAL_BROKERS": self.brokers,
            "CAUDAL_FETCH_BACKOFF": str(self.fetch_backoff).lower(),
            "CAUDAL_SYSTEMS": orjson.dumps(self.systems).decode(),
            # Whatever the shell is set up for, a local stack keeps to its own databases.
            "CAUDAL_READ_DSN": self.postgres,
            "CAUDAL_WRITE_DSNS": "{}",
            "CAUDAL_READ_DSNS": "{}",
            "CAUDAL_KEYS_DSN": self.postgres,
            "CAUDAL_SIGNING_KEY": str(self.signing_key),
            "CAUDAL_MASTER_KEY_FILE": str(self.master_keys),
            "CAUDAL_TOKEN_KEYS": str(self.token_keys),
            "CAUDAL_MAIL_URL": f"smtp://127.0.0.1:{self.ports['mail']}",
        }

    @property
    def signing_key(self) -> Path:
        """The key with which this stack signs its logs' heads."""
        return Path(self.data_dir) / "keys" / "signing.pem"

    @property
    def public_key(self) -> Path:
        """The key with which anyone can check that."""
        return Path(self.data_dir) / "keys" / "public.pem"

    @property
    def master_keys(self) -> Path:
        """The keys that wrap the keys of this stack's data subjects."""
        return Path(self.data_dir) / "keys" / "master.keys"

    @property
    def token_keys(self) -> Path:
        """The folder of the keys with which this stack signs access tokens."""
        return Path(self.data_dir) / "keys" / "tokens"

    @property
    def mailbox(self) -> Path:
        """Where the mail is kept that this stack sends."""
        return mailbox_of(Path(self.data_dir))

    def applied_to(self, settings: Settings) -> Settings:
        """Settings with which this process joins the stack."""
        databases = {"write_dsn": self.postgres, "read_dsn": self.postgres, "write_dsns": {}, "read_dsns": {}}
        keys = {"keys_dsn": self.postgres, "master_key_file": self.master_keys, "token_keys": self.token_keys}
        broker = {"brokers": self.brokers, "fetch_backoff": self.fetch_backoff}
        return settings.model_copy(update={**databases, **keys, **broker, "systems": list(self.systems)})


def running_stack(data_dir: Path) -> Endpoints | None:
    """The stack that runs with its data in this folder, where one does."""
    try:
        found = Endpoints(**orjson.loads((data_dir / STATE_FILE).read_bytes()))
        os.kill(found.pid, 0)
    except (FileNotFoundError, ProcessLookupError, PermissionError, orjson.JSONDecodeError, TypeError):
        return None
    return found


def mailbox_of(data_dir: Path) -> Path:
    """Where a stack keeps its mail, also while it does not run."""
    return data_dir / "mail"
