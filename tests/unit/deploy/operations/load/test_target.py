"""The target of `caudal load`: an unknown name is answered with the known ones."""

import os
from pathlib import Path

import pytest

from deploy.console.endpoints import STATE_FILE, Endpoints
from deploy.operations.load.target import command_class, command_url
from schemas.data_ingestion.ingestion import ReceiveData
from schemas.errors import Malformed, NotFound


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    made = Endpoints(
        "http://here:1/", "http://q", "dsn", "b:1", str(tmp_path), "logs", {}, os.getpid(), systems=["data_ingestion"]
    )
    (tmp_path / STATE_FILE).write_text(made.as_json())
    return tmp_path


def test_a_command_of_the_running_stack(data_dir: Path) -> None:
    found = command_url("data_ingestion", "receive-data", None, data_dir)

    assert found == "http://here:1/commands/data_ingestion/receive-data"


def test_an_unknown_system_is_answered_with_the_systems_that_run(data_dir: Path) -> None:
    with pytest.raises(NotFound, match="no system 'data_ingest'; there are data_ingestion, engine"):
        command_url("data_ingest", "receive-data", None, data_dir)


def test_an_unknown_command_is_answered_with_those_of_its_system(data_dir: Path) -> None:
    with pytest.raises(NotFound, match=r"no command 'receive' in 'data_ingestion'; there are .*receive-data"):
        command_url("data_ingestion", "receive", None, data_dir)


def test_another_api_is_named_by_its_url(tmp_path: Path) -> None:
    assert command_url("x", "y", "https://there/", tmp_path) == "https://there/commands/x/y"
    with pytest.raises(Malformed, match="--url must be"):
        command_url("x", "y", "there", tmp_path)
    with pytest.raises(NotFound, match="`caudal up`, or name the command API with --url"):
        command_url("x", "y", None, tmp_path)


def test_the_class_of_a_command_is_found_without_a_stack() -> None:
    assert command_class("data_ingestion", "receive-data", None) is ReceiveData
    assert command_class("elsewhere", "do-it", "https://there") is None, "its system is installed there alone"
    with pytest.raises(NotFound, match=r"no system 'elsewhere'; there are .*data_ingestion"):
        command_class("elsewhere", "do-it", None)
    with pytest.raises(NotFound, match=r"no command 'receive' in 'data_ingestion'; there are .*receive-data"):
        command_class("data_ingestion", "receive", "https://there")
