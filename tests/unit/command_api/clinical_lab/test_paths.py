"""The clinical laboratory's own paths: bodies become commands, and receipts answers."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError
from starlette.requests import Request

from aggregates.clinical_lab.users import User
from aggregates.scenario import MIDNIGHT
from command_api.clinical_lab.paths import Login, NewUser, create_user, log_in, new_result, new_user
from command_api.http.gateway import CommandGateway, SignIns
from schemas.clinical_lab.results import NumberTaken, RecordResult, ResultRecorded
from schemas.clinical_lab.users import CreateUser, UserCreated, user_id_of
from schemas.envelope import CommandEnvelope, Receipt
from schemas.errors import Unauthenticated
from schemas.sensitive import MARK
from streams.http.request_context import RequestContext
from streams.security.tokens import Token


@pytest.mark.parametrize(
    ("given", "role"), [(1, "clinician"), (2, "patient"), ("clinician", "clinician"), ("patient", "patient")]
)
def test_a_role_is_a_number_or_a_name(given: object, role: str) -> None:
    command = create_user(NewUser.model_validate({"username": "ana", "password": "password2", "role": given}), {})

    assert isinstance(command, CreateUser)
    assert (command.username, command.role) == ("ana", role)


def test_a_user_without_a_role_is_a_clinician() -> None:
    command = create_user(NewUser.model_validate({"username": "ana", "password": "pass123"}), {})

    assert isinstance(command, CreateUser)
    assert command.role == "clinician"


ID = UUID(int=1)


def receipt(stream: str) -> Receipt:
    return Receipt(command_id=ID, stream=stream, version=1, position=2, partition=0, recorded_at=MIDNIGHT)


def test_a_result_is_answered_with_its_number_its_id_and_what_was_sent() -> None:
    recorded = ResultRecorded(result_id=ID, number=8, patient_id=ID, clinician_id="dr", patient="encrypted", result="encrypted")
    command = RecordResult(patient="Ana Paz", result="negative")

    assert new_result(command, receipt(f"result-{ID}"), [NumberTaken(number=8, result_id=ID), recorded]) == {
        "id": 8,
        "result_id": str(ID),
        "patient": "Ana Paz",
        "result": "negative",
    }


def test_a_user_is_answered_with_the_number_and_without_the_password() -> None:
    command = CreateUser(username="ana", password="password2", role="patient")
    created = UserCreated(user_id=ID, number=3, username="encrypted", password_hash="encrypted", role="patient", email=None)

    assert new_user(command, receipt(f"user-{ID}"), [created]) == {
        "id": 3,
        "user_id": str(ID),
        "username": "ana",
        "role": 2,
    }


def test_a_name_that_no_user_can_have_is_not_looked_up() -> None:
    assert Login(username=" Jose\u0301 ", password="x").username == "jos\u00e9"
    with pytest.raises(ValidationError, match="is not a user name that RFC 8265 allows"):
        Login(username="admin\u200b", password="x")


class WriteSide:
    """A write side with one user, that records what it is asked."""

    def __init__(self, user: str) -> None:
        self.user_id = str(user_id_of(user))
        self.steps: list[str] = []
        self.attempts: list[tuple[str, str]] = []

    async def load(self, _: object, key: str) -> User:
        self.steps.append("state loaded")
        is_known = key == self.user_id
        return User(role="patient", password_hash=f"{MARK}{key}:hash") if is_known else User()

    async def decrypted(self, texts: Iterable[str]) -> Mapping[str, str]:
        self.steps.append(f"{len(asked := list(texts))} keys looked up")
        return {text: "hash" for text in asked if text.endswith(":hash")}

    @asynccontextmanager
    async def attempt(self, account: str, address: str) -> AsyncIterator[None]:
        self.attempts.append((account, address))
        yield

    async def is_right(self, hash: str | None, password: str) -> bool:
        self.steps.append("password verified")
        return hash is not None and password == "right"

    def issue(self, subject: str, roles: Iterable[str], _: Iterable[str]) -> Token:
        return Token(f"{subject} {list(roles)}", 60)

    async def handle(self, command: CommandEnvelope[Any]) -> None:
        self.steps.append(command.data.message_name)


async def signed_in(side: WriteSide, user: str, password: str) -> Any:
    scope = {"type": "http", "method": "POST", "headers": [], "client": ("192.0.2.1", 1)}
    RequestContext.open(scope)
    gateway = CommandGateway(side, side, side, SignIns(side, side))  # type: ignore[arg-type]
    return await log_in(Login(username=user, password=password), Request(scope), gateway)


async def test_a_name_that_is_not_known_takes_the_same_steps_and_gets_the_same_answer() -> None:
    side = WriteSide("ana")
    answers, steps = [], []
    for user in ("ana", "eva"):
        side.steps.clear()
        with pytest.raises(Unauthenticated) as raised:
            await signed_in(side, user, "wrong")
        answers.append(str(raised.value))
        steps.append(list(side.steps))

    assert answers[0] == answers[1]
    assert steps[0] == steps[1] == ["state loaded", "1 keys looked up", "password verified"]
    assert side.attempts == [(str(user_id_of(user)), "192.0.2.1") for user in ("ana", "eva")]


async def test_the_right_password_gets_a_token_with_the_users_role() -> None:
    side = WriteSide("ana")

    answer = await signed_in(side, "ana", "right")

    assert answer.access_token == f"{side.user_id} ['patient']"
    assert side.steps[-1] == "record-login"
