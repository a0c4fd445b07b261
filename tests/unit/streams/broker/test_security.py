"""Security of the broker's clients: the protocol that the settings need, files, secrets, and why a connection failed."""

import datetime
import ssl
import sys
from pathlib import Path
from typing import Any

import pytest
from aiokafka.errors import (
    KafkaConnectionError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    UnsupportedSaslMechanismError,
)
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import SecretStr

from schemas.errors import Misconfigured
from streams.broker.security import TokenCommand, protocol_of, rejection, security_options
from streams.settings import Settings

SCRAM: dict[str, Any] = {"broker_sasl_mechanism": "SCRAM-SHA-512", "broker_user": "ana", "broker_password": SecretStr("s3cret")}


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A certificate that signs itself, its key, and the same key encrypted."""
    folder, key = tmp_path_factory.mktemp("pem"), ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "broker")])
    began = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(began)
        .not_valid_after(began + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pkcs8 = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)
    files = {
        "certificate": certificate.public_bytes(serialization.Encoding.PEM),
        "key": key.private_bytes(*pkcs8, serialization.NoEncryption()),
        "encrypted": key.private_bytes(*pkcs8, serialization.BestAvailableEncryption(b"p")),
    }
    for file, content in files.items():
        (folder / f"{file}.pem").write_bytes(content)
    return {file: folder / f"{file}.pem" for file in files}


@pytest.mark.parametrize(
    ("given", "protocol"),
    [
        ({}, "PLAINTEXT"),
        ({"broker_ca_file": Path("ca.pem")}, "SSL"),
        ({"broker_certificate_file": Path("client.pem")}, "SSL"),
        ({"broker_protocol": "SSL"}, "SSL"),
        (SCRAM, "SASL_SSL"),
        (SCRAM | {"broker_protocol": "SASL_PLAINTEXT"}, "SASL_PLAINTEXT"),
    ],
)
def test_the_protocol_is_derived_and_credentials_are_not_sent_in_the_clear_unless_asked(
    given: dict[str, Any], protocol: str
) -> None:
    assert protocol_of(Settings(**given)) == protocol


def test_without_settings_connections_are_plain() -> None:
    assert security_options(Settings()) == {"security_protocol": "PLAINTEXT"}


def test_hostnames_and_certificates_are_verified(pem: dict[str, Path]) -> None:
    files: dict[str, Any] = {
        "broker_ca_file": pem["certificate"],
        "broker_certificate_file": pem["certificate"],
        "broker_key_file": pem["key"],
    }

    options = security_options(Settings(**files))

    tls = options["ssl_context"]
    assert (tls.check_hostname, tls.verify_mode) == (True, ssl.CERT_REQUIRED)
    assert [found["subject"] for found in tls.get_ca_certs()] == [((("commonName", "broker"),),)]


def test_a_password_is_read_from_its_file_each_time(tmp_path: Path) -> None:
    file = tmp_path / "password"
    settings = Settings(**SCRAM | {"broker_password": None, "broker_password_file": file})

    for password in ("one", "two with blanks "):
        file.write_text(f"{password}\n")
        assert security_options(settings)["sasl_plain_password"] == password


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"broker_protocol": "SASL_SSL"}, "CAUDAL_BROKER_SASL_MECHANISM is unset"),
        (SCRAM | {"broker_protocol": "SSL"}, "CAUDAL_BROKER_PROTOCOL is SSL and CAUDAL_BROKER_SASL_MECHANISM is SCRAM-SHA-512"),
        (SCRAM | {"broker_user": None}, "needs CAUDAL_BROKER_USER"),
        (SCRAM | {"broker_password": None}, "needs CAUDAL_BROKER_PASSWORD or CAUDAL_BROKER_PASSWORD_FILE"),
        (SCRAM | {"broker_password_file": Path("p")}, "not both"),
        (SCRAM | {"broker_password": None, "broker_password_file": Path("/no/file")}, "cannot be read: /no/file"),
        ({"broker_sasl_mechanism": "OAUTHBEARER"}, "needs CAUDAL_BROKER_TOKEN_COMMAND"),
        ({"broker_ca_file": Path("/no/ca.pem")}, "CAUDAL_BROKER_CA_FILE has no certificates: /no/ca.pem"),
        ({"broker_protocol": "PLAINTEXT", "broker_ca_file": Path("ca.pem")}, "has no TLS"),
        ({"broker_protocol": "SSL", "broker_key_file": Path("k")}, "needs CAUDAL_BROKER_CERTIFICATE_FILE"),
    ],
)
def test_settings_that_contradict_each_other_are_named(given: dict[str, Any], message: str) -> None:
    with pytest.raises(Misconfigured, match=message) as raised:
        security_options(Settings(**given))

    assert "s3cret" not in raised.value.detail


@pytest.mark.parametrize("key", ["encrypted", "certificate"])
def test_a_key_that_cannot_be_read_is_named_and_no_password_is_asked_for(pem: dict[str, Path], key: str) -> None:
    with pytest.raises(Misconfigured, match="CAUDAL_BROKER_KEY_FILE"):
        security_options(Settings(broker_certificate_file=pem["certificate"], broker_key_file=pem[key]))


def test_secrets_are_not_shown() -> None:
    assert "s3cret" not in repr(Settings(**SCRAM))


def printing(program: str) -> Settings:
    return Settings(broker_sasl_mechanism="OAUTHBEARER", broker_token_command=SecretStr(f"'{sys.executable}' -c \"{program}\""))


async def test_a_token_is_asked_for_again_for_each_connection() -> None:
    settings = printing("import time; print(time.time_ns())")
    provider = security_options(settings)["sasl_oauth_token_provider"]

    assert await provider.token() != await provider.token()


@pytest.mark.parametrize(
    ("program", "message"),
    [("print('s3cret'); exit(3)", r"prints no token \(exit code 3\)"), ("print()", r"prints no token \(exit code 0\)")],
)
async def test_a_command_that_prints_no_token_is_an_outage_without_its_output(program: str, message: str) -> None:
    with pytest.raises(KafkaConnectionError, match=message) as raised:
        await TokenCommand(printing(program)).token()

    assert "s3cret" not in str(raised.value)


async def test_a_command_that_does_not_exist_is_named() -> None:
    with pytest.raises(KafkaConnectionError, match="/no/command cannot be run") as raised:
        await TokenCommand(Settings(broker_token_command=SecretStr("/no/command --secret s3cret"))).token()

    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize(
    ("error", "setting"),
    [
        (SaslAuthenticationFailed("Authentication failed"), "CAUDAL_BROKER_USER"),
        (UnsupportedSaslMechanismError("no PLAIN"), "CAUDAL_BROKER_SASL_MECHANISM"),
        (ssl.SSLCertVerificationError("x"), "CAUDAL_BROKER_CA_FILE"),
        (ssl.SSLError(1, "wrong version number"), "CAUDAL_BROKER_PROTOCOL"),
        (KafkaConnectionError("Connection at broker:9092 closed"), "CAUDAL_BROKER_PROTOCOL"),
        (KafkaConnectionError("Unable to bootstrap from [('127.0.0.1', 1)]"), "nothing listens there, or it closes"),
        (KafkaConnectionError("prints no token"), "prints no token"),
        (TopicAuthorizationFailedError("t"), "does not allow this user"),
        (ConnectionResetError("nobody listens"), "nobody listens"),
    ],
)
def test_the_reason_of_a_failed_connection_names_the_setting_to_check(error: Exception, setting: str) -> None:
    assert setting in rejection(error)
