"""Faults: the text of an exception, where it was raised, and no values of variables."""

from schemas.errors import Misconfigured
from streams.subscriptions.faults import Fault, describe


def fails(secret: str) -> None:
    raise LookupError("no rule")


def caught(error_of: object) -> Exception:
    try:
        error_of()  # type: ignore[operator]
    except Exception as error:
        return error
    raise AssertionError("it did not fail")


def test_the_traceback_has_file_and_line_and_no_values() -> None:
    fault = Fault.of(caught(lambda: fails("hunter2")))

    assert fault.error == "LookupError: no rule"
    assert __file__ in fault.traceback
    assert 'raise LookupError("no rule")' in fault.traceback
    assert "hunter2" not in fault.traceback.replace('fails("hunter2")', "")
    assert fault.location.startswith(__file__)
    assert fault.location.endswith("in fails")


def test_the_location_is_that_of_the_first_cause() -> None:
    def wraps() -> None:
        try:
            fails("")
        except LookupError as error:
            raise Misconfigured("it cannot be read") from error

    fault = Fault.of(caught(wraps))

    assert (fault.error, fault.location.rpartition(" ")[2]) == ("it cannot be read", "fails")


def test_texts_fit_into_the_database() -> None:
    fault = Fault.of(ValueError("\x00" + "x" * 100_000))

    assert len(fault.error) == 2000
    assert len(fault.traceback) == 8000
    assert "\x00" not in fault.error + fault.traceback
    assert fault.location == ""
    assert describe(ValueError("why")) == "ValueError: why"
