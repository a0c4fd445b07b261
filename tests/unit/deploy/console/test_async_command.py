"""Commands as coroutine functions: exit codes, errors, and the options that Typer finds."""

import typer
from typer.testing import CliRunner

from deploy.console.async_command import async_command, report_errors
from schemas.errors import NotFound

app = typer.Typer()


@app.command()
@async_command
async def answer(code: int, fails: bool = False) -> int:
    """Answers with a code."""
    if fails:
        raise NotFound("there is no [such] thing")
    return code


@app.command()
@report_errors()
def fail() -> None:
    """Fails."""
    raise NotFound("there is no such thing")


def test_the_result_is_the_exit_code() -> None:
    for code in (0, 3):
        assert CliRunner().invoke(app, ["answer", str(code)]).exit_code == code


def test_an_error_is_one_line_and_code_1() -> None:
    for arguments, said in ((["answer", "0", "--fails"], "there is no [such] thing"), (["fail"], "there is no such thing")):
        result = CliRunner().invoke(app, arguments)

        assert (result.exit_code, result.stderr) == (1, f"caudal: {said}\n")


def test_the_help_is_that_of_the_function() -> None:
    assert "Answers with a code." in CliRunner().invoke(app, ["answer", "--help"]).stdout


@app.command()
@async_command
async def fail_twice() -> None:
    """Fails in two tasks, and with a file."""
    missing = FileNotFoundError(2, "No such file or directory", "keys/x.pem")
    raise ExceptionGroup("tasks", [ExceptionGroup("inner", [NotFound("one"), NotFound("one")]), missing])


def test_errors_of_several_tasks_and_of_files_are_a_line_each() -> None:
    result = CliRunner().invoke(app, ["fail-twice"])

    assert (result.exit_code, result.stderr) == (1, "caudal: one\ncaudal: keys/x.pem: No such file or directory\n")
