"""The file in which a running stack keeps its addresses."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.console.endpoints import STATE_FILE, Endpoints, recorded_stack, running_stack
from schemas.errors import Misconfigured
from streams.broker.security import security_options
from streams.settings import Settings


def recorded(folder: Path, pid: int) -> Endpoints:
    made = Endpoints("http://c", "http://q", "postgresql://here", "b:1", str(folder), "logs", {"mail": 5006}, pid)
    (folder / STATE_FILE).write_text(made.as_json())
    return made


def test_a_stack_is_found_while_its_supervisor_runs(tmp_path: Path) -> None:
    assert running_stack(tmp_path) is None

    made = recorded(tmp_path, os.getpid())

    assert running_stack(tmp_path) == made
    assert made.environment["CAUDAL_MAIL_URL"] == "smtp://127.0.0.1:5006"


def test_a_local_broker_has_no_tls_and_no_users_if_the_shell_is_set_up_for_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("SASL_MECHANISM", "PLAIN"), ("USER", "ana"), ("CA_FILE", "/ca.pem"), ("TIMEOUT_SECONDS", "3")):
        monkeypatch.setenv(f"CAUDAL_BROKER_{name}", value)
    made = recorded(tmp_path, os.getpid())

    assert security_options(made.applied_to(Settings())) == {"security_protocol": "PLAINTEXT"}
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    assert security_options(Settings()) == {"security_protocol": "PLAINTEXT"}
    assert Settings().broker_timeout_seconds == 3


def test_a_stack_whose_supervisor_is_gone_is_only_recorded(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()

    made = recorded(tmp_path, ended.pid)

    assert running_stack(tmp_path) is None
    assert recorded_stack(tmp_path) == made


def test_a_stack_of_another_user_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(pid: int, signal: int) -> None:
        raise PermissionError

    made = recorded(tmp_path, 1)
    monkeypatch.setattr(os, "kill", forbidden)

    assert running_stack(tmp_path) == made


def test_a_file_that_may_not_be_read_is_said_to_be_another_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(path: Path) -> bytes:
        raise PermissionError

    monkeypatch.setattr(Path, "read_bytes", forbidden)

    with pytest.raises(Misconfigured, match="as another user; run this command as that user"):
        running_stack(tmp_path)


def test_a_process_joins_a_stack_with_the_settings_that_its_own_processes_have(tmp_path: Path) -> None:
    made = recorded(tmp_path, os.getpid())

    joined = made.applied_to(Settings())

    assert (joined.signing_key, joined.write_dsn, joined.brokers) == (str(made.signing_key), made.postgres, made.brokers)
    assert joined.mail_url is not None
    assert joined.mail_url.get_secret_value() == made.mail
