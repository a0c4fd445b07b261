"""Addresses of a running local stack, which it writes to a file in its data folder for other commands."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import orjson
from pydantic import SecretStr

from schemas.errors import Misconfigured
from streams.settings import PREFIX, Settings

STATE_FILE = "stack.json"
_SECURITY = dict.fromkeys(
    name for name in Settings.model_fields if name.startswith("broker_") and name != "broker_timeout_seconds"
)
"""Settings for a broker with TLS or users, which that of a local stack does not have."""


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Addresses of a running stack."""

    command_api: str
    query_api: str
    postgres: str
    """DSN of the operator's login; it names the file that holds the password."""
    brokers: str
    data_dir: str
    log_dir: str
    ports: Mapping[str, int]
    """Port of each process; the worker, the relay and the projectors serve health and metrics on theirs."""
    pid: int
    """Process id of the supervisor."""
    operations: str = ""
    """Address of the operations API and of the operator's page."""
    page_code: str = ""
    """Code in the address that signs in to that page."""
    fetch_backoff: bool = False
    """Whether the broker answers empty fetches at once, as the embedded one does."""
    systems: Sequence[str] = field(default_factory=list)
    """The systems that run; empty: every installed one."""
    schema_registry: str = ""
    """Address of the registry with the schemas of integration topics."""
    gateways: Mapping[str, str] = field(default_factory=dict)
    """Address of each gateway, by its name."""
    pages: Mapping[str, str] = field(default_factory=dict)
    """Address of each live page, by its name."""

    def as_json(self) -> str:
        """Returns the content of the file."""
        return orjson.dumps(asdict(self)).decode()

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables with which a process joins this stack."""
        return {
            "CAUDAL_WRITE_DSN": self.postgres,
            "CAUDAL_BROKERS": self.brokers,
            "CAUDAL_FETCH_BACKOFF": str(self.fetch_backoff).lower(),
            "CAUDAL_SYSTEMS": ",".join(self.systems),
            "CAUDAL_PROFILE": "seed",
            "CAUDAL_PAGE_CODE": "",
            "CAUDAL_SCHEMA_REGISTRY_URL": "",  # its own is in the database
            "CAUDAL_COMMAND_APIS": self.command_api,
            "CAUDAL_QUERY_APIS": self.query_api,
            "CAUDAL_GATEWAYS": orjson.dumps(dict(self.gateways)).decode(),
            "CAUDAL_TRUSTED_PROXIES": "127.0.0.1" if self.gateways else "",
            # The shell may be set up for another installation: a local stack uses its own databases alone.
            "CAUDAL_READ_DSN": self.postgres,
            "CAUDAL_WRITE_DSNS": "{}",
            "CAUDAL_READ_DSNS": "{}",
            "CAUDAL_KEYS_DSN": self.postgres,
            "CAUDAL_SIGNING_KEY": str(self.signing_key),
            "CAUDAL_MASTER_KEY_FILE": str(self.master_keys),
            "CAUDAL_TOKEN_KEYS": str(self.token_keys),
            "CAUDAL_MAIL_URL": self.mail,
            "CAUDAL_FILES_URL": self.files,
            **{f"{PREFIX}{name.upper()}": "" for name in _SECURITY},
        }

    @property
    def mail(self) -> str:
        """URL of the mail server."""
        return f"smtp://127.0.0.1:{self.ports['mail']}"

    @property
    def signing_key(self) -> Path:
        """File of the private key that signs the heads of the logs."""
        return Path(self.data_dir) / "keys" / "signing.pem"

    @property
    def public_key(self) -> Path:
        """File of the public key that verifies these signatures."""
        return Path(self.data_dir) / "keys" / "public.pem"

    @property
    def master_keys(self) -> Path:
        """File of the keys that wrap the keys of data subjects."""
        return Path(self.data_dir) / "keys" / "master.keys"

    @property
    def token_keys(self) -> Path:
        """Folder of the keys that sign access tokens."""
        return Path(self.data_dir) / "keys" / "tokens"

    @property
    def mailbox(self) -> Path:
        """Folder of the mail that this stack sent."""
        return mailbox_of(Path(self.data_dir))

    @property
    def files(self) -> str:
        """URL of the folder of the files that systems keep."""
        return (Path(self.data_dir) / "files").as_uri()

    @property
    def is_supervised(self) -> bool:
        """Whether the supervisor still runs."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:  # it runs, as another user
            return True
        return True

    def applied_to(self, settings: Settings) -> Settings:
        """Settings with which this process joins the stack."""
        databases = {"write_dsn": self.postgres, "read_dsn": self.postgres, "write_dsns": {}, "read_dsns": {}}
        keys = {"keys_dsn": self.postgres, "master_key_file": self.master_keys, "token_keys": self.token_keys}
        signing = {"signing_key": str(self.signing_key)}
        servers = {"brokers": self.brokers, "fetch_backoff": self.fetch_backoff, "mail_url": SecretStr(self.mail)}
        processes = {
            "command_apis": self.command_api,
            "query_apis": self.query_api,
            "files_url": self.files,
            "gateways": dict(self.gateways),
        }
        return settings.model_copy(
            update={**databases, **keys, **signing, **servers, **processes, **_SECURITY, "systems": list(self.systems)}
        )


def running_stack(data_dir: Path) -> Endpoints | None:
    """Returns the stack that runs from this folder, if there is one; raises `Misconfigured` if the file is unreadable."""
    found = recorded_stack(data_dir)
    return found if found is not None and found.is_supervised else None


def recorded_stack(data_dir: Path) -> Endpoints | None:
    """Returns the stack that the folder's file names, whether or not its supervisor still runs."""
    file = data_dir / STATE_FILE
    try:
        return Endpoints(**orjson.loads(file.read_bytes()))
    except (FileNotFoundError, NotADirectoryError, orjson.JSONDecodeError, TypeError):
        return None
    except PermissionError as error:
        raise Misconfigured(
            f"{file} cannot be read: a stack may run from it as another user; run this command as that user"
        ) from error


def mailbox_of(data_dir: Path) -> Path:
    """Returns the folder of a stack's mail, which exists also while the stack does not run."""
    return data_dir / "mail"
