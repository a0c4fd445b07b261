"""A real Apache Kafka for one machine, in KRaft mode and without containers. It listens on loopback alone.

Maven downloads the broker's jars (``deploy/kafka/pom.xml``), a JDK 17 or newer runs them.
"""

import base64
import shutil
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import structlog

from deploy.local.ports import LOOPBACK
from deploy.local.process import ProcessSpec, run_to_end
from deploy.local.servers.readiness import why_broker_is_not_ready
from schemas.errors import Misconfigured

_log = structlog.get_logger()
_PROJECT = Path(__file__).parents[2] / "kafka"
_JARS = _PROJECT / "jars"
_JAVA_OPTIONS = ("-Xms256m", "-Xmx512m", f"-Dlog4j2.configurationFile={_PROJECT / 'log4j2.properties'}")
_QUIET = {"JAVA_TOOL_OPTIONS": ""}  # the JVM prints them before its output
_MISSING = "a real Kafka needs `mvn` and `java` (a JDK 17 or newer) on the PATH; `--broker embedded` needs neither"


class KafkaBroker:
    """A broker with its data in a folder, by default its own controller and without TLS or users."""

    def __init__(
        self,
        data: Path,
        log: Path,
        port: int,
        controller_port: int,
        *,
        cluster: str | None = None,
        properties: Mapping[str, str] | None = None,
        format_options: Sequence[str] = (),
        security: Mapping[str, Any] | None = None,
    ) -> None:
        """``cluster`` is the id of a cluster of several brokers, of which one has the controller's port.

        ``properties`` replace or complete those of the broker, ``format_options`` those of Kafka's storage tool, and
        ``security`` are the options with which a client connects.
        """
        self._data, self._log, self._port, self._controller_port = data, log, port, controller_port
        self._cluster, self._format_options = cluster or new_cluster(), format_options
        self._own_properties, self._security = properties or {}, security or {}

    @property
    def bootstrap(self) -> str:
        """``host:port`` for Kafka clients."""
        return f"{LOOPBACK}:{self._port}"

    async def prepare(self) -> None:
        """Downloads the jars and formats the data folder, each if needed. Raises `Misconfigured`."""
        if not can_run():
            raise Misconfigured(_MISSING)
        await _fetch_jars()
        self._data.mkdir(parents=True, exist_ok=True)
        properties = self._properties()
        if not (self._data / "logs" / "meta.properties").exists():
            quorum = "--standalone" if "controller" in self._settings["process.roles"] else "--no-initial-controllers"
            options = ("format", quorum, "--cluster-id", self._cluster, "--config", str(properties), *self._format_options)
            await run_to_end("java", *_class_path(), "kafka.tools.StorageTool", *options, environment=_QUIET)

    def process(self) -> ProcessSpec:
        """Returns the broker's process."""
        command = ("java", *_JAVA_OPTIONS, *_class_path(), "kafka.Kafka", str(self._properties()))
        return ProcessSpec(
            name="broker",
            command=command,
            log=self._log,
            why_not_ready=partial(why_broker_is_not_ready, self._port, self._security),
            logs_its_start=True,
        )

    @property
    def _settings(self) -> Mapping[str, str]:
        return {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.bootstrap.servers": f"{LOOPBACK}:{self._controller_port}",
            "listeners": f"PLAINTEXT://{self.bootstrap},CONTROLLER://{LOOPBACK}:{self._controller_port}",
            "advertised.listeners": f"PLAINTEXT://{self.bootstrap}",
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "PLAINTEXT",
            "log.dirs": str(self._data / "logs"),
            # One broker: its internal topics have one replica, and a group does not wait for further members.
            "offsets.topic.replication.factor": "1",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "share.coordinator.state.topic.replication.factor": "1",
            "share.coordinator.state.topic.min.isr": "1",
            "group.initial.rebalance.delay.ms": "0",
            "auto.create.topics.enable": "false",
            "message.max.bytes": str(16 * 1024 * 1024),
            **self._own_properties,
        }

    def _properties(self) -> Path:
        path = self._data / "server.properties"
        path.touch(0o600)  # it may hold passwords
        path.write_text("".join(f"{name}={value}\n" for name, value in self._settings.items()))
        return path


def new_cluster() -> str:
    """Returns the id of a new cluster: a random UUID in Kafka's form."""
    return base64.urlsafe_b64encode(uuid4().bytes).decode().rstrip("=").replace("-", "A")


def can_run() -> bool:
    """Returns whether Maven and a JVM are on the PATH."""
    return shutil.which("mvn") is not None and shutil.which("java") is not None


async def _fetch_jars() -> None:
    pom = (_PROJECT / "pom.xml").read_bytes()
    fetched = _JARS / "pom.xml"  # written last: it says that all jars are there, and their version
    if fetched.exists() and fetched.read_bytes() == pom:
        return
    _log.warning("Apache Kafka download started", program="mvn", times="once")
    shutil.rmtree(_JARS, ignore_errors=True)
    goal = "org.apache.maven.plugins:maven-dependency-plugin:copy-dependencies"
    await run_to_end("mvn", "-B", "-q", "-f", str(_PROJECT / "pom.xml"), goal, f"-DoutputDirectory={_JARS}", environment=_QUIET)
    fetched.write_bytes(pom)


def _class_path() -> tuple[str, str]:
    return ("-cp", f"{_JARS}/*")
