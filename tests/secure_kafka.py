"""An Apache Kafka with TLS, with users by SCRAM, PLAIN, OAUTHBEARER or certificate, and with rights."""

import base64
import datetime
import shlex
import sys
from collections.abc import Sequence
from enum import IntEnum
from pathlib import Path

import orjson
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Int8, Int16, Int32, Schema, String
from pydantic import SecretStr

from deploy.local.ports import LOOPBACK, free_ports
from deploy.local.servers.kafka import KafkaBroker
from streams.broker.clients import new_admin, start, stop_quietly
from streams.broker.security import security_options
from streams.settings import Settings
from tests.authority import Authority

USER, LIMITED, PASSWORD = "caudal", "limited", "correct horse battery staple"
"""A user who may do everything, one who has only the rights that a test grants, and the password of both."""
SESSION_SECONDS = 3
"""Seconds for which the broker accepts requests on a connection that was authenticated by a token."""
_SCRAM = ("SCRAM-SHA-256", "SCRAM-SHA-512")
_MECHANISMS = (*_SCRAM, "PLAIN", "OAUTHBEARER")
_PREFIXED, _ALLOW = 4, 3
_SECURITY = "org.apache.kafka.common.security"


class Resource(IntEnum):
    """A kind of thing to which a user may have rights."""

    TOPIC, GROUP = 2, 3


class Operation(IntEnum):
    """A right."""

    ALL, READ, WRITE, DESCRIBE, DESCRIBE_CONFIGS = 2, 3, 4, 8, 10


class _AclsCreated(Response):  # type: ignore[misc]
    API_KEY, API_VERSION = 30, 1
    SCHEMA = Schema(("throttle_time_ms", Int32), ("results", Array(("error_code", Int16), ("error_message", String("utf-8")))))


class _CreateAclsV1(RequestStruct):  # type: ignore[misc]
    API_KEY, API_VERSION, RESPONSE_TYPE = 30, 1, _AclsCreated
    SCHEMA = Schema(
        (
            "creations",
            Array(
                ("resource_type", Int8), ("resource_name", String("utf-8")), ("resource_pattern_type", Int8),
                ("principal", String("utf-8")), ("host", String("utf-8")), ("operation", Int8), ("permission_type", Int8),
            ),
        )
    )  # fmt: skip


class _CreateAcls(Request[_CreateAclsV1]):  # type: ignore[misc]
    """The request that grants rights, which aiokafka does not have."""

    API_KEY = 30

    def __init__(self, creations: Sequence[tuple[object, ...]]) -> None:
        self._creations = creations

    def build(self, request_struct_class: type[_CreateAclsV1]) -> _CreateAclsV1:
        return request_struct_class(self._creations)


class SecureKafka(KafkaBroker):
    """A broker that accepts users over TLS on one port, and clients with a certificate on another."""

    def __init__(self, folder: Path, log: Path, valid_for: str = LOOPBACK) -> None:
        """``valid_for`` is the address in the broker's certificate."""
        port, controller_port, mutual_port = free_ports(3)
        self.authority = Authority(folder / "keys")
        self._server = self.authority.certificate("server", valid_for)
        self._mutual_port = mutual_port
        self._address = f"{LOOPBACK}:{port}"
        super().__init__(
            folder / "data",
            log,
            port,
            controller_port,
            properties=self._secured(controller_port),
            format_options=[
                option
                for mechanism in _SCRAM
                for user in (USER, LIMITED)
                for option in ("--add-scram", f'{mechanism}=[name={user},password="{PASSWORD}"]')
            ],
            security=security_options(self.settings()),
        )

    def settings(self, mechanism: str = "SCRAM-SHA-512", user: str = USER) -> Settings:
        """Returns the settings of a client that authenticates by a mechanism of SASL."""
        secured = {"brokers": self._address, "broker_ca_file": self.authority.file, "broker_sasl_mechanism": mechanism}
        if mechanism == "OAUTHBEARER":
            secured["broker_token_command"] = SecretStr(shlex.join((sys.executable, "-c", f"print({_unsigned_token(user)!r})")))
        else:
            secured |= {"broker_user": user, "broker_password": SecretStr(PASSWORD)}
        return Settings().model_copy(update=secured)

    def mutual_settings(self) -> Settings:
        """Returns the settings of a client that authenticates by a certificate."""
        return Settings(
            brokers=f"{LOOPBACK}:{self._mutual_port}",
            broker_ca_file=self.authority.file,
            broker_certificate_file=self.authority.certificate(USER),
        )

    async def allow(self, resource: Resource, prefix: str, *operations: Operation) -> None:
        """Grants the limited user operations on all resources of a kind whose names have a prefix."""
        admin = new_admin(self.settings())
        await start(admin)
        granted = [(resource, prefix, _PREFIXED, f"User:{LIMITED}", "*", operation, _ALLOW) for operation in operations]
        answer = await admin._send_to_controller(_CreateAcls(granted))
        await stop_quietly(admin)
        assert [code for code, _ in answer.results] == [0] * len(operations)

    def _secured(self, controller_port: int) -> dict[str, str]:
        listeners = f"SASL_SSL://{self._address},SSL://{LOOPBACK}:{self._mutual_port}"
        login = {
            "plain": f'plain.PlainLoginModule required user_{USER}="{PASSWORD}" user_{LIMITED}="{PASSWORD}"',
            "scram-sha-256": "scram.ScramLoginModule required",
            "scram-sha-512": f'scram.ScramLoginModule required username="{USER}" password="{PASSWORD}"',
            "oauthbearer": "oauthbearer.OAuthBearerLoginModule required",
        }
        return {
            "listeners": f"{listeners},CONTROLLER://{LOOPBACK}:{controller_port}",
            "advertised.listeners": listeners,
            "listener.security.protocol.map": "SASL_SSL:SASL_SSL,SSL:SSL,CONTROLLER:PLAINTEXT",
            "inter.broker.listener.name": "SASL_SSL",
            "sasl.mechanism.inter.broker.protocol": "SCRAM-SHA-512",
            "sasl.enabled.mechanisms": ",".join(_MECHANISMS),
            **{f"listener.name.sasl_ssl.{name}.sasl.jaas.config": f"{_SECURITY}.{module};" for name, module in login.items()},
            # A connection that does not authenticate again by then is closed at its next request.
            "listener.name.sasl_ssl.oauthbearer.connections.max.reauth.ms": str(SESSION_SECONDS * 1000),
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(self._server),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self.authority.file),
            "listener.name.ssl.ssl.client.auth": "required",
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            # The controller's listener is plain: its user is anonymous.
            "super.users": f"User:{USER};User:CN={USER};User:ANONYMOUS",
        }


def _unsigned_token(user: str) -> str:
    """Returns a token as Kafka's validator for development accepts it: without a signature."""
    now = int(datetime.datetime.now(datetime.UTC).timestamp())
    parts = ({"alg": "none"}, {"sub": user, "iat": now, "exp": now + 3600})
    return ".".join(base64.urlsafe_b64encode(orjson.dumps(part)).decode().rstrip("=") for part in parts) + "."
