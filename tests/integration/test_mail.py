"""Mail: one attempt for each requested delivery, whose result is recorded once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from aiosmtpd.smtp import SMTP
from pydantic import SecretStr, ValidationError

from command_api.composition import make_handler, open_logs
from command_api.handling.handler import CommandHandler
from command_api.handling.passwords import Passwords
from deploy.local.ports import LOOPBACK, free_ports
from deploy.local.servers.mail import Mailbox, kept_in
from schemas.catalog import Catalog
from schemas.clinical_lab.notifications import DeliverNotification, RequestNotification
from schemas.clinical_lab.users import CreateUser, user_id_of
from schemas.envelope import CommandEnvelope, Receipt
from schemas.errors import Undeliverable
from schemas.message import Command
from streams.bounded_processes import BoundedProcesses
from streams.database.pools import Databases
from streams.discovery import installed_catalog
from streams.encryption.encryption import add_master_key
from streams.integrations.mail import Mail, send
from streams.settings import Settings

NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return installed_catalog(["clinical_lab"])


class Mailing:
    """A handler whose mail goes to a port where a server may listen."""

    def __init__(self, settings: Settings, catalog: Catalog, databases: Databases, folder: Path) -> None:
        self.master_keys = folder / "master.keys"
        add_master_key(self.master_keys, "only")
        self.port, self.folder = free_ports(1)[0], folder / "mail"
        self.folder.mkdir()
        own = {"master_key_file": self.master_keys, "mail_url": f"smtp://{LOOPBACK}:{self.port}"}
        settings = Settings.model_validate({**settings.model_dump(), **own})
        self.logs = open_logs(settings, catalog, databases)
        self.passwords = Passwords()
        self.handler: CommandHandler = make_handler(settings, catalog, self.logs, databases, BoundedProcesses(), self.passwords)

    async def issue(self, command: Command, id: UUID | None = None) -> Receipt:
        return await self.handler.handle(CommandEnvelope(data=command, id=id or uuid4(), at=NOW, correlation_id="c"))

    async def requested(self, *recipients: str) -> UUID:
        command = RequestNotification(kind="result", cause="result-1", recipients=recipients, about="1")
        receipt = await self.issue(command)
        return UUID(receipt.stream.removeprefix("notification-"))

    async def tried(self, notification_id: UUID, attempt: int = 1) -> tuple[str, ...]:
        return (await self.issue(DeliverNotification(notification_id=notification_id, attempt=attempt))).events

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: SMTP(Mailbox(self.folder), loop=loop), LOOPBACK, self.port)
        try:
            yield
        finally:
            server.close()


@pytest.fixture
async def mailing(settings: Settings, catalog: Catalog, databases: Databases, tmp_path: Path) -> AsyncIterator[Mailing]:
    made = Mailing(settings, catalog, databases, tmp_path)
    await made.issue(CreateUser(username="Ana", password="password2", email="ana@example.org"))
    await made.issue(CreateUser(username="eva@example.org", password="password2"))
    await made.issue(CreateUser(username="zoe", password="password2"))
    yield made
    made.passwords.close()
    for log in made.logs.values():
        await log.drain()


async def test_mail_goes_to_the_first_recipient_who_is_a_user(mailing: Mailing) -> None:
    async with mailing.listening():
        for names in (("nobody", "ana"), ("eva@example.org", "ana"), ("zoe",)):
            notification = await mailing.requested(*(str(user_id_of(name)) for name in names))
            assert await mailing.tried(notification) == ("NotificationSent",)

    kept = list(kept_in(mailing.folder))
    assert {one.to for one in kept} == {"ana@example.org", "eva@example.org", "zoe@localhost"}
    assert {one.subject for one in kept} == {"Resultado 1 disponible"}


async def test_mail_without_a_mailbox_fails_for_good(mailing: Mailing) -> None:
    assert await mailing.tried(await mailing.requested("no uuid", str(uuid4()))) == ("NotificationFailed",)


async def test_mail_that_could_not_be_sent_is_tried_again_and_stored_once(
    mailing: Mailing, monkeypatch: pytest.MonkeyPatch
) -> None:
    notification = await mailing.requested(str(user_id_of("ana")))
    monkeypatch.setattr("streams.integrations.mail._PAUSE_AFTER_OUTAGE_SECONDS", 0)

    assert await mailing.tried(notification) == ("DeliveryFailed",)
    async with mailing.listening():
        assert await mailing.tried(notification, 2) == ("NotificationSent",)
        assert await mailing.tried(notification, 2) == ()
        assert await mailing.tried(notification, 3) == ()
    assert len(list(kept_in(mailing.folder))) == 1


async def test_a_server_that_is_out_of_reach_delays_no_second_mail(mailing: Mailing) -> None:
    first = [await mailing.requested(str(user_id_of("ana"))) for _ in range(20)]
    accepted: list[asyncio.StreamWriter] = []
    silent = await asyncio.start_server(lambda _, writer: accepted.append(writer), LOOPBACK, mailing.port)

    outcomes = await asyncio.gather(*map(mailing.tried, first))

    silent.close()
    for writer in accepted:
        writer.close()
    assert set(outcomes) == {("DeliveryFailed",)}
    assert len(accepted) == 8, "at most so many connect at a time, and the others share their result"


async def test_mail_is_not_lost_if_a_key_is_missing(mailing: Mailing) -> None:
    notification = await mailing.requested(str(user_id_of("ana")))
    keys = mailing.master_keys.read_text()
    mailing.master_keys.write_text("another " + keys.split()[1])

    async with mailing.listening():
        assert await mailing.tried(notification) == ("DeliveryFailed",)
        mailing.master_keys.write_text(keys)
        assert await mailing.tried(notification, 2) == ("NotificationSent",)


async def test_a_password_is_never_sent_in_the_clear(mailing: Mailing, settings: Settings) -> None:
    url = SecretStr(f"smtp://ana:secret@{LOOPBACK}:{mailing.port}")
    async with mailing.listening():
        with pytest.raises(Undeliverable) as raised:
            await send(settings.model_copy(update={"mail_url": url}), Mail("a@b", "s", "t", "id"))
    assert raised.value.may_work_later
    assert "secret" not in str(raised.value)


async def test_a_repeated_delivery_makes_no_second_attempt(mailing: Mailing) -> None:
    notification, id = await mailing.requested(str(user_id_of("ana"))), uuid4()
    command = DeliverNotification(notification_id=notification)
    async with mailing.listening():
        first = await mailing.issue(command, id)
        (mailing.folder / next(mailing.folder.glob("*.eml")).name).unlink()
        again = await mailing.issue(command, id)

    assert (first.events, again.repeated) == (("NotificationSent",), True)
    assert list(kept_in(mailing.folder)) == []


async def test_a_mailbox_that_is_rejected_fails_for_good_and_a_full_one_does_not(
    mailing: Mailing, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = {"452 full": "DeliveryFailed", "550 nobody of that name": "NotificationFailed"}
    for answer, event in answers.items():

        async def reject(*_: object, answer: str = answer) -> str:
            return answer

        monkeypatch.setattr(Mailbox, "handle_RCPT", reject, raising=False)
        async with mailing.listening():
            assert await mailing.tried(await mailing.requested(str(user_id_of("ana")))) == (event,)


async def test_mail_is_tried_again_if_an_operator_can_repair_the_cause(
    mailing: Mailing, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def reject(*_: object) -> str:
        return "530 who are you?"

    monkeypatch.setattr(Mailbox, "handle_MAIL", reject, raising=False)
    async with mailing.listening():
        assert await mailing.tried(await mailing.requested(str(user_id_of("ana")))) == ("DeliveryFailed",)
    with pytest.raises(Undeliverable) as raised:
        await send(settings.model_copy(update={"mail_url": None}), Mail("a@b", "s", "t", "id"))
    assert raised.value.may_work_later


@pytest.mark.parametrize("address", ["a@[", "a@b, c@d", "Ana <a@b>", "abc", "a@b\r\nBcc: c@d", "a@b "])
async def test_a_text_that_is_not_one_address_gets_no_mail(settings: Settings, address: str) -> None:
    with pytest.raises(ValueError, match="one mailbox"):
        CreateUser(username="zoe", password="password2", email=address)
    with pytest.raises(Undeliverable, match="not an address") as raised:
        await send(settings.model_copy(update={"mail_url": SecretStr("smtp://127.0.0.1:1")}), Mail(address, "s", "t", "id"))
    assert not raised.value.may_work_later


@pytest.mark.parametrize("url", ["mail.example.org", "http://h:1", "smtp://user:se/cret@h:25", "smtp://h"])
def test_an_invalid_mail_server_is_named_without_its_password(url: str) -> None:
    with pytest.raises(ValidationError, match="should read like") as raised:
        Settings(mail_url=SecretStr(url))
    assert "cret" not in str(raised.value)
