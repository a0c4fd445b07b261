"""Command bodies: what passes can be kept everywhere, what does not is named by its pointer."""

import time
import tracemalloc

import pytest

from command_api.handling.validation import MAX_VIOLATIONS, check_plain, parse_json, validate_command
from schemas.clinical_lab.notifications import DeliverNotification
from schemas.clinical_lab.results import RecordResult
from schemas.clinical_lab.users import CreateUser
from schemas.data_ingestion.ingestion import ReceiveData
from schemas.errors import Invalid, Malformed

DEPTH = 64


def pointers(body: bytes) -> list[str]:
    with pytest.raises(Invalid) as caught:
        validate_command(parse_json(body, DEPTH), ReceiveData)
    return [violation.pointer for violation in caught.value.violations]


def test_a_good_body_becomes_the_command() -> None:
    body = b'{"partner_id": "acme", "payload": {"n": 9007199254740993, "x": -1.5e10, "t": "\\u00e9 \\ud83d\\ude00"}}'

    command = validate_command(parse_json(body, DEPTH), ReceiveData)

    assert command == ReceiveData(partner_id="acme", payload={"n": 9007199254740993, "x": -1.5e10, "t": "é 😀"})


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (b'{"partner_id": "a"}', "/payload"),
        (b'{"partner_id": "a", "payload": {}, "extra": 1}', "/extra"),
        (b'{"partner_id": 5, "payload": {}}', "/partner_id"),
        (b'{"partner_id": "", "payload": {}}', "/partner_id"),
        (b'{"partner_id": "a\\nb", "payload": {}}', "/partner_id"),
        (b'{"partner_id": "a", "payload": []}', "/payload"),
        (b'{"partner_id": "a", "payload": {"x": {"y": ["\\u0000"]}}}', "/payload/x/y/0"),
        (b'{"partner_id": "a", "payload": {"x\\u0000": 1}}', "/payload/x\x00"),
        (b'{"partner_id": "a", "payload": {"x": "\\ud800"}}', "/payload/x"),
        (b'{"partner_id": "a", "payload": {"a/b": "\\udfff"}}', "/payload/a~1b"),
        (b'{"partner_id": "a", "payload": {"x": 1e400}}', "/payload/x"),
        (b'{"partner_id": "a", "payload": {"x": -1e999}}', "/payload/x"),
        (b'{"partner_id": "a", "payload": {"x": 9223372036854775808}}', "/payload/x"),
        (b'{"partner_id": "a", "payload": {"x": 123456789012345678901234567890}}', "/payload/x"),
    ],
)
def test_a_bad_value_is_named_by_its_pointer(body: bytes, pointer: str) -> None:
    assert pointers(body) == [pointer]


@pytest.mark.parametrize("digits", [19, 20, 300, 400, 4300, 4301, 5000, 1_000_000])
@pytest.mark.parametrize("sign", [b"", b"-"])
def test_an_integer_of_any_length_is_named_by_its_pointer(digits: int, sign: bytes) -> None:
    body = b'{"partner_id": "a", "payload": {"x": [1, ' + sign + b"9" * digits + b"]}}"

    with pytest.raises(Invalid) as raised:
        parse_json(body, DEPTH)

    (found,) = raised.value.violations
    assert (found.pointer, found.detail) == ("/payload/x/1", "is a number out of range: integers have 64 bits")


@pytest.mark.parametrize(
    ("body", "pointer", "name"),
    [
        (b'{"a": 1, "a": 1}', "", "a"),
        (b'{"a": {"b": [{"c": 1, "d": 2, "c": 3}]}}', "/a/b/0", "c"),
        (b'{"a": {"b": 1, "b": 2}, "a": 3}', "", "a"),
        (b'{"a": 1, "\\u0061": 2}', "", "a"),
    ],
)
def test_a_name_that_an_object_has_twice_is_rejected_with_the_object(body: bytes, pointer: str, name: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse_json(body, DEPTH)

    assert [(one.pointer, one.detail) for one in caught.value.violations] == [
        (pointer, f"has the name {name!r} twice in one object")
    ]


def test_equal_names_of_different_objects_are_no_repetition() -> None:
    assert parse_json(b'{"a": {"a": 1}, "b": [{"a": 1}, {"a": 1}]}', DEPTH) == {"a": {"a": 1}, "b": [{"a": 1}, {"a": 1}]}


def test_a_lone_surrogate_in_a_key_is_named_by_what_can_be_said_of_it() -> None:
    assert pointers(b'{"partner_id": "a", "payload": {"x\\ud800": 1}}') == ["/payload/x?"]


@pytest.mark.parametrize("body", [b"", b"{", b"nonsense", b"\xff\xfe", b'{"a": NaN}', b"[" * 100_000, b'{"a": 1}}'])
def test_a_body_that_is_not_json_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        parse_json(body, DEPTH)


def test_nesting_is_limited_and_the_place_named() -> None:
    deep = b'{"partner_id": "a", "payload": {"x": ' + b"[" * 62 + b"]" * 62 + b"}}"
    deeper = b'{"partner_id": "a", "payload": {"x": ' + b"[" * 63 + b"]" * 63 + b"}}"

    assert parse_json(deep, DEPTH)["partner_id"] == "a"
    assert pointers(deeper) == ["/payload/x" + "/0" * 62]


def test_brackets_in_a_string_are_no_nesting() -> None:
    assert parse_json(b'{"x": "' + b"[" * 200 + b'"}', DEPTH) == {"x": "[" * 200}


def test_the_largest_integers_pass() -> None:
    assert parse_json(b"[9223372036854775807, -9223372036854775808]", DEPTH) == [2**63 - 1, -(2**63)]


def test_a_client_cannot_send_what_is_encrypted() -> None:
    encrypted = {"patient": "encrypted:1:p:AAAA", "result": "x", "patient_id": "01940000-0000-7000-8000-0000000000a1"}
    with pytest.raises(Invalid) as raised:
        check_plain(RecordResult.model_validate(encrypted))
    assert [violation.pointer for violation in raised.value.violations] == ["/patient"]
    assert check_plain(RecordResult(patient="p", result="r")) == RecordResult(patient="p", result="r")


@pytest.mark.parametrize("budget", [b'"99999999999999999999"', b"99999999999999999999", b'"inf"'])
def test_a_number_out_of_range_is_named_whether_it_is_sent_as_a_number_or_a_text(budget: bytes) -> None:
    body = b'{"notification_id": "01940000-0000-7000-8000-0000000000a1", "attempt": ' + budget + b"}"

    with pytest.raises(Invalid) as raised:
        validate_command(parse_json(body, DEPTH), DeliverNotification)
    assert [violation.pointer for violation in raised.value.violations] == ["/attempt"]


def test_a_default_that_depends_on_a_wrong_field_is_no_error_of_its_own() -> None:
    with pytest.raises(Invalid) as raised:
        validate_command({"username": "admin\u200b", "password": "password2"}, CreateUser)
    (found,) = raised.value.violations
    assert (found.pointer, found.detail) == (
        "/username",
        "Value error, is not a user name that RFC 8265 allows: precis ignorable properties",
    )


LONG_NAME = b'"' + b"k" * 400_000 + b'"'
COSTLY_BODIES = {
    "one long name over many values, and deep nesting": (
        b'{"data": {' + LONG_NAME + b": [0" + b",0" * 299_999 + b']}, "b": ' + b"[" * 64 + b"]" * 64 + b"}",
        "/b" + "/0" * 63,
    ),
    "one long name over many objects that repeat a name": (
        b"{" + LONG_NAME + b': [0, {"a":0,"a":0}' + b',{"a":0,"a":0}' * 40_000 + b"]}",
        f"/{'k' * 400_000}/1",
    ),
    "one long name over many values, and a repeated name": (
        b"{" + LONG_NAME + b": [0" + b",0" * 299_999 + b'], "b": {"a": 1, "a": 2}}',
        "/b",
    ),
    "one long name over many values, and a bad one": (
        b"{" + LONG_NAME + b": [0" + b",0" * 299_999 + b'], "b": "\\u0000"}',
        "/b",
    ),
}


@pytest.mark.parametrize("what", COSTLY_BODIES)
def test_a_fault_is_found_in_little_time_and_memory(what: str) -> None:
    body, pointer = COSTLY_BODIES[what]
    tracemalloc.start()
    began = time.thread_time()
    try:
        with pytest.raises(Invalid) as raised:
            parse_json(body, DEPTH)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert [violation.pointer for violation in raised.value.violations] == [pointer]
    assert peak < 64 * 1024 * 1024
    assert time.thread_time() - began < 5


def test_a_deep_body_without_a_fault_costs_little() -> None:
    body = b'{"data": {' + LONG_NAME + b": [0" + b",0" * 299_999 + b']}, "b": ' + b"[" * 63 + b"]" * 63 + b"}"
    tracemalloc.start()
    try:
        assert parse_json(body, DEPTH)["b"]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 64 * 1024 * 1024


def test_the_first_of_very_many_violations_are_reported() -> None:
    body = {"partner_id": "a", "payload": {}} | {f"{n}": 0 for n in range(100_000)}

    with pytest.raises(Invalid) as raised:
        validate_command(body, ReceiveData)

    assert [one.pointer for one in raised.value.violations] == [f"/{n}" for n in range(MAX_VIOLATIONS)]
