"""Encryption of commands: passwords are hashed, sensitive fields encrypted, and plain texts are gone."""

from collections.abc import Iterator, Mapping
from typing import Annotated
from uuid import UUID

import pytest

from aggregates.scenario import MIDNIGHT
from command_api.handling.encryption import Encryption
from command_api.handling.passwords import Passwords
from command_api.handling.request import NO_FINGERPRINT, CommandRequest
from schemas.envelope import CommandEnvelope
from schemas.errors import Invalid, Misconfigured, Violation
from schemas.expected_version import ANY_VERSION
from schemas.message import COMMAND_ID, Command
from schemas.sensitive import Password, Sensitive, is_encrypted
from schemas.system import ContextName
from streams.encryption.encryption import encrypt

ID, KEY = UUID(int=7), b"k" * 32


class Register(Command, subject=COMMAND_ID):
    name: Annotated[str, Sensitive()]
    email: Annotated[str | None, Sensitive()] = None
    password: Annotated[str, Password(), Sensitive()] = "password-1"


class Rename(Command, subject="user"):
    user: str
    name: Annotated[str, Sensitive()]


class Enter(Command, subject="user"):
    user: str
    password: Annotated[str | None, Password(min_length_in_seed=6), Sensitive()] = None


class Invite(Command, subject=lambda id: UUID(int=id.int + 1)):
    name: Annotated[str, Sensitive()]


class Count(Command):
    by: int


class Keys:
    """One key for each subject; keeps the subjects that it was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, list[str]]] = []

    async def encrypt(self, subject: str, texts: Mapping[str, str]) -> dict[str, str]:
        self.asked.append((subject, sorted(texts.values())))
        return {purpose: encrypt(text, KEY, subject, purpose) for purpose, text in texts.items()}


def request(command: Command) -> CommandRequest:
    envelope = CommandEnvelope(data=command, id=ID, at=MIDNIGHT, correlation_id="c")
    return CommandRequest(ContextName("lab", "users"), envelope, ANY_VERSION)


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    made = Passwords()
    yield made
    made.close()


async def test_a_command_without_marks_only_gets_its_fingerprint() -> None:
    applied = await Encryption(None, None).apply(request(Count(by=1)))

    assert applied.command.data == Count(by=1)
    assert applied.fingerprint != NO_FINGERPRINT


@pytest.mark.parametrize("is_seed", [False, True])
async def test_a_short_password_is_taken_in_the_profile_for_trying_alone(passwords: Passwords, is_seed: bool) -> None:
    encryption = Encryption(Keys(), passwords, is_seed=is_seed)  # type: ignore[arg-type]

    if is_seed:
        hashed = (await encryption.apply(request(Enter(user="u", password="pass123")))).command.data
        assert isinstance(hashed, Enter)
        assert hashed.password is not None
        assert is_encrypted(hashed.password)
    else:
        with pytest.raises(Invalid) as raised:
            await encryption.apply(request(Enter(user="u", password="pass123")))
        assert raised.value.violations == (Violation("/password", "should have 8 to 200 characters"),)
    await encryption.apply(request(Enter(user="u", password="pass1234")))


async def test_a_password_that_is_not_given_is_not_hashed(passwords: Passwords) -> None:
    applied = await Encryption(Keys(), passwords).apply(request(Enter(user="u")))  # type: ignore[arg-type]

    assert applied.command.data == Enter(user="u")


async def test_the_subject_is_a_field_or_the_commands_own_id_or_made_of_it(passwords: Passwords) -> None:
    keys = Keys()

    await Encryption(keys, passwords).apply(request(Rename(user="u", name="Eva")))  # type: ignore[arg-type]
    await Encryption(keys, passwords).apply(request(Register(name="Eva")))  # type: ignore[arg-type]
    await Encryption(keys, passwords).apply(request(Invite(name="Eva")))  # type: ignore[arg-type]

    assert [subject for subject, _ in keys.asked] == ["u", str(ID), str(UUID(int=8))]


async def test_a_password_is_hashed_before_it_is_encrypted_and_a_missing_text_stays_missing(passwords: Passwords) -> None:
    keys = Keys()

    data = (await Encryption(keys, passwords).apply(request(Register(name="Eva")))).command.data  # type: ignore[arg-type]

    assert isinstance(data, Register)
    (_, (hashed, name)) = keys.asked[0]
    assert (name, hashed.startswith("$argon2id$")) == ("Eva", True)
    assert is_encrypted(data.password)
    assert is_encrypted(data.name)
    assert data.email is None


async def test_equal_commands_of_one_id_are_equal_after_it(passwords: Passwords) -> None:
    one, other = [await Encryption(Keys(), passwords).apply(request(Register(name="Eva"))) for _ in range(2)]  # type: ignore[arg-type]

    assert (one.command.data, one.fingerprint) == (other.command.data, other.fingerprint)


async def test_a_password_that_came_by_topic_is_not_hashed_again(passwords: Passwords) -> None:
    first = (await Encryption(Keys(), passwords).apply(request(Register(name="Eva")))).command.data  # type: ignore[arg-type]
    assert isinstance(first, Register)
    keys = Keys()

    await Encryption(keys, passwords).apply(request(Register(name="Eva", password=first.password)))  # type: ignore[arg-type]

    assert keys.asked[0][1] == sorted(["Eva", first.password])


async def test_without_keys_nothing_sensitive_is_handled() -> None:
    with pytest.raises(Misconfigured, match="nothing can be encrypted here"):
        await Encryption(None, None).apply(request(Rename(user="u", name="Eva")))


async def test_without_threads_for_passwords_none_is_hashed() -> None:
    with pytest.raises(Misconfigured, match="no password can be hashed here"):
        await Encryption(Keys(), None).apply(request(Register(name="Eva")))  # type: ignore[arg-type]
