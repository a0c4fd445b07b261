"""Every operation and reading has a name of its own, which is a command of the command line, and a summary."""

import pytest

from deploy.operations.declared import OPERATIONS, READINGS
from tests.unit.deploy.test_cli import COMMANDS

NAMES = [*OPERATIONS, *READINGS]


def test_no_two_have_one_name() -> None:
    assert len(NAMES) == len(set(NAMES))


@pytest.mark.parametrize("name", NAMES)
def test_each_is_a_command(name: str) -> None:
    path = tuple(name.split("/"))

    assert path in COMMANDS or any(command[: len(path)] == path for command in COMMANDS)


@pytest.mark.parametrize("name", NAMES)
def test_each_has_a_summary_and_roles(name: str) -> None:
    one = OPERATIONS.get(name) or READINGS[name]

    assert one.summary.endswith((".", ":")), one.summary
    assert one.access.roles
