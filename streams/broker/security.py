"""Security of the connections to the broker: TLS and SASL from the settings, for aiokafka and for Faust.

Hostnames are verified. Secrets are read when a client is made, and no message contains them.
"""

import asyncio
import shlex
import ssl
import subprocess
from collections.abc import Mapping
from typing import Any

from aiokafka.abc import AbstractTokenProvider
from aiokafka.errors import (
    KafkaConnectionError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    UnsupportedSaslMechanismError,
)

from schemas.errors import Misconfigured
from streams.settings import Settings
from streams.telemetry.retrying import reason

_TOKEN_SECONDS = 10.0
_TLS = ("SSL", "SASL_SSL")


def protocol_of(settings: Settings) -> str:
    """Returns the security protocol: the one of the settings, or the one that the other settings need."""
    if settings.broker_protocol is not None:
        return settings.broker_protocol
    if settings.broker_sasl_mechanism is not None:
        return "SASL_SSL"
    has_tls = settings.broker_ca_file is not None or settings.broker_certificate_file is not None
    return "SSL" if has_tls else "PLAINTEXT"


def security_options(settings: Settings) -> Mapping[str, Any]:
    """Returns the options of a client of aiokafka; raises `Misconfigured` for wrong settings and files."""
    protocol = protocol_of(settings)
    _check(settings, protocol)
    options: dict[str, Any] = {"security_protocol": protocol}
    if protocol in _TLS:
        options["ssl_context"] = _tls(settings)
    match settings.broker_sasl_mechanism:
        case None:
            pass
        case "OAUTHBEARER":
            options |= {"sasl_mechanism": "OAUTHBEARER", "sasl_oauth_token_provider": TokenCommand(settings)}
        case mechanism:
            user, password = settings.broker_user, _password(settings)
            options |= {"sasl_mechanism": mechanism, "sasl_plain_username": user, "sasl_plain_password": password}
    return options


class TokenCommand(AbstractTokenProvider):  # type: ignore[misc]
    """The command that prints a token. It is run for each connection, so a token is never older than its connection."""

    def __init__(self, settings: Settings) -> None:
        command = settings.broker_token_command
        self._command = [] if command is None else shlex.split(command.get_secret_value())

    async def token(self) -> str:
        """Returns a token; raises `KafkaConnectionError` if the command prints none within ten seconds."""
        return await asyncio.to_thread(self._run)

    def _run(self) -> str:
        name = self._command[0]
        try:
            ended = subprocess.run(
                self._command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_TOKEN_SECONDS, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise KafkaConnectionError(f"CAUDAL_BROKER_TOKEN_COMMAND: {name} takes longer than {_TOKEN_SECONDS:g} s") from error
        except OSError as error:
            raise KafkaConnectionError(f"CAUDAL_BROKER_TOKEN_COMMAND: {name} cannot be run: {error.strerror}") from error
        token = ended.stdout.decode(errors="replace").strip()
        if ended.returncode or not token or not token.isprintable():
            # Its output is not shown: it may hold a secret.
            raise KafkaConnectionError(f"CAUDAL_BROKER_TOKEN_COMMAND: {name} prints no token (exit code {ended.returncode})")
        return token


def rejection(error: BaseException) -> str:
    """Returns why a connection failed, as one line that names the setting to check."""
    match error:
        case SaslAuthenticationFailed():
            return (
                f"the broker rejects the credentials ({reason(error)}): check CAUDAL_BROKER_USER and CAUDAL_BROKER_PASSWORD, "
                "or the token of CAUDAL_BROKER_TOKEN_COMMAND"
            )
        case UnsupportedSaslMechanismError():
            return f"{reason(error)}: check CAUDAL_BROKER_SASL_MECHANISM"
        case ssl.SSLCertVerificationError():
            return f"the broker's certificate is not valid: {reason(error)}: check CAUDAL_BROKER_CA_FILE and CAUDAL_BROKERS"
        case ssl.SSLError():
            return f"no TLS connection: {reason(error)}: check CAUDAL_BROKER_PROTOCOL and CAUDAL_BROKER_CERTIFICATE_FILE"
        case KafkaConnectionError() if "closed" in str(error):
            return f"the broker closes the connection: check CAUDAL_BROKER_PROTOCOL and its other settings ({reason(error)})"
        case KafkaConnectionError() if "bootstrap" in str(error):  # the client does not say which
            settings = "CAUDAL_BROKER_PROTOCOL and its other settings, and CAUDAL_BROKERS"
            return f"nothing listens there, or it closes the connection: check {settings} ({reason(error)})"
        case TopicAuthorizationFailedError():
            return f"the broker does not allow this user the topic: {reason(error)}"
    return reason(error)


def _check(settings: Settings, protocol: str) -> None:
    mechanism = settings.broker_sasl_mechanism
    if protocol.startswith("SASL") != (mechanism is not None):
        raise Misconfigured(
            f"CAUDAL_BROKER_PROTOCOL is {protocol} and CAUDAL_BROKER_SASL_MECHANISM is {mechanism or 'unset'}: "
            "set both for SASL, or neither"
        )
    if mechanism == "OAUTHBEARER" and not settings.broker_token_command:
        raise Misconfigured("OAUTHBEARER needs CAUDAL_BROKER_TOKEN_COMMAND, a command that prints a token")
    if mechanism not in (None, "OAUTHBEARER") and settings.broker_user is None:
        raise Misconfigured(f"{mechanism} needs CAUDAL_BROKER_USER")
    if settings.broker_password is not None and settings.broker_password_file is not None:
        raise Misconfigured("set CAUDAL_BROKER_PASSWORD or CAUDAL_BROKER_PASSWORD_FILE, not both")
    files = (settings.broker_ca_file, settings.broker_certificate_file, settings.broker_key_file)
    if protocol not in _TLS and any(files):
        raise Misconfigured(f"CAUDAL_BROKER_PROTOCOL is {protocol}, which has no TLS, but a file for TLS is set")
    if settings.broker_key_file is not None and settings.broker_certificate_file is None:
        raise Misconfigured("CAUDAL_BROKER_KEY_FILE needs CAUDAL_BROKER_CERTIFICATE_FILE")


def _password(settings: Settings) -> str:
    if settings.broker_password is not None:
        return settings.broker_password.get_secret_value()
    if settings.broker_password_file is None:
        raise Misconfigured(f"{settings.broker_sasl_mechanism} needs CAUDAL_BROKER_PASSWORD or CAUDAL_BROKER_PASSWORD_FILE")
    try:
        return settings.broker_password_file.read_text().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"CAUDAL_BROKER_PASSWORD_FILE cannot be read: {settings.broker_password_file}") from error


def _tls(settings: Settings) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=settings.broker_ca_file)
    except (OSError, ValueError) as error:
        raise Misconfigured(f"CAUDAL_BROKER_CA_FILE has no certificates: {settings.broker_ca_file}: {error}") from error
    if settings.broker_certificate_file is not None:
        key = settings.broker_key_file or settings.broker_certificate_file
        try:
            # Without a password, OpenSSL would ask for that of an encrypted key on the terminal.
            context.load_cert_chain(settings.broker_certificate_file, key, password="")
        except (OSError, ValueError) as error:
            raise Misconfigured(
                f"CAUDAL_BROKER_CERTIFICATE_FILE and CAUDAL_BROKER_KEY_FILE are not a certificate and its key: {error}"
            ) from error
    return context
