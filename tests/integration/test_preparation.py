"""The stages before a decision: passwords are hashed, texts encrypted, and a command that cannot be encrypted is answered."""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from aggregates.clinical_lab.users import USER
from command_api.clock import now
from command_api.composition import make_handler, open_logs
from command_api.handling.handler import CommandHandler
from command_api.handling.passwords import Passwords
from schemas.catalog import Catalog
from schemas.clinical_lab.notifications import DeliverNotification
from schemas.clinical_lab.users import CreateUser, user_id_of
from schemas.engine.privacy import EraseSubject
from schemas.envelope import CommandEnvelope
from schemas.errors import Invalid, Rejected
from schemas.expected_version import ExpectedVersion
from schemas.message import Command
from schemas.system import ContextName
from streams.bounded_processes import BoundedProcesses
from streams.database.pools import Databases
from streams.discovery import installed_catalog
from streams.encryption.encryption import add_master_key
from streams.encryption.subject_keys import SubjectKeys
from streams.log.appending import AppendablePostgresLog
from streams.settings import Settings

USERS = ContextName("clinical_lab", "users")
ANA = CreateUser(username="Ana", password="password2")


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return installed_catalog(["clinical_lab"])


class WriteSide:
    def __init__(self, settings: Settings, catalog: Catalog, databases: Databases) -> None:
        logs = open_logs(settings, catalog, databases)
        self.log: AppendablePostgresLog = logs[USERS]
        self.keys = SubjectKeys(settings, databases)
        self.passwords = Passwords()
        self.handler: CommandHandler = make_handler(settings, catalog, logs, databases, BoundedProcesses(), self.passwords)

    def issue(self, command: Command, id: UUID) -> CommandEnvelope[Command]:
        return CommandEnvelope(data=command, id=id, at=now(), correlation_id="c")


@pytest.fixture
def write_side(settings: Settings, catalog: Catalog, databases: Databases, tmp_path: Path) -> Iterator[WriteSide]:
    add_master_key(tmp_path / "master.keys", "only")
    made = WriteSide(settings.model_copy(update={"master_key_file": tmp_path / "master.keys"}), catalog, databases)
    yield made
    made.passwords.close()


async def test_a_command_with_side_effects_accepts_no_precondition(write_side: WriteSide) -> None:
    subject = str(user_id_of("ana"))
    await write_side.handler.handle(write_side.issue(ANA, uuid4()))

    with pytest.raises(Invalid, match="not supported for commands with side effects"):
        await write_side.handler.handle(
            write_side.issue(EraseSubject(subject=subject), uuid4()), expected=ExpectedVersion.exact(7)
        )
    assert await write_side.keys.not_erased([subject]) == [subject]
    user = await write_side.handler.load(USER, subject)
    assert list((await write_side.keys.decrypted([user.username or ""])).values()) == ["Ana"]


async def test_an_unknown_subject_is_erased_only_in_advance(write_side: WriteSide) -> None:
    with pytest.raises(Rejected, match="nothing is encrypted for this subject"):
        await write_side.handler.handle(write_side.issue(EraseSubject(subject="nobody"), uuid4()))
    await write_side.handler.handle(write_side.issue(EraseSubject(subject="nobody", in_advance=True), uuid4()))
    assert await write_side.keys.knows("nobody")


async def test_a_command_of_an_erased_subject_is_rejected_and_a_repeat_gets_the_first_receipt(
    write_side: WriteSide,
) -> None:
    before, after = uuid4(), uuid4()
    first = await write_side.handler.handle(write_side.issue(ANA, before))
    await write_side.handler.handle(write_side.issue(EraseSubject(subject=str(user_id_of("ana"))), uuid4()))

    again = await write_side.handler.handle(write_side.issue(ANA, before))
    assert (again.repeated, again.stream, again.version) == (True, first.stream, first.version)
    for _ in range(2):
        with pytest.raises(Rejected, match="erased"):
            await write_side.handler.handle(write_side.issue(ANA, after))
    rejection = (await write_side.log.answers([after]))[after]
    assert rejection is not None
    assert "erased" in rejection.detail
    assert (await write_side.log.head()).position == 2, (
        "the first command recorded a user and its number, and the others nothing"
    )


async def test_a_command_in_whose_place_an_activity_puts_another_is_prepared_under_its_own_id(write_side: WriteSide) -> None:
    deliver = write_side.issue(DeliverNotification(notification_id=uuid4()), uuid4())

    prepared = await write_side.handler.prepare(deliver, is_new=False)

    assert (prepared.context.context, prepared.stream, prepared.key) == ("notifications", str(deliver.id), str(deliver.id))
    ana = await write_side.handler.prepare(write_side.issue(ANA, uuid4()), is_new=True)
    assert (ana.stream, ana.key) == (USER.name(str(user_id_of("ana"))), str(user_id_of("ana")))
