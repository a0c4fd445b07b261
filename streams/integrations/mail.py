"""Mail over SMTP."""

import asyncio
import time
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from functools import cache
from urllib.parse import SplitResult, unquote, urlsplit

import aiosmtplib

from schemas.errors import Undeliverable
from schemas.text import mailbox
from streams.settings import Settings

_SECONDS = 5
_LONGEST_SECONDS = 15
_MAX_CONCURRENT = 8
_LEFT_ALONE_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Mail:
    """A message in plain text."""

    to: str
    subject: str
    text: str
    id: str
    """Unique, and always the same for the same cause: a mailbox that gets it twice can tell."""


async def send(settings: Settings, mail: Mail) -> None:
    """Hands a message to the mail server, within 15 s once it is its turn, which takes 15 s at most; raises `Undeliverable`.

    For good only where the server rejects this mailbox or this mail: whatever else is wrong, an operator may mend. A server
    that is out of reach is left alone for a while: what is to be sent meanwhile is told at once that it may work later.
    """
    if settings.mail_url is None:
        raise Undeliverable("no mail server is set: CAUDAL_MAIL_URL", may_work_later=True)
    message = _message(mail, settings.mail_from)
    url = settings.mail_url.get_secret_value()
    await _server(url).take(message)


class _Server:
    """A mail server: how many talk to it at a time, and whether it makes sense to."""

    def __init__(self, url: str) -> None:
        self._url = urlsplit(url)
        self._turns = asyncio.Semaphore(_MAX_CONCURRENT)
        self._left_alone_until = 0.0

    async def take(self, message: EmailMessage) -> None:
        try:
            async with asyncio.timeout(_LONGEST_SECONDS):
                await self._turns.acquire()
        except TimeoutError:
            raise Undeliverable("the mail server is busy", may_work_later=True) from None
        try:
            if time.monotonic() < self._left_alone_until:
                raise Undeliverable("the mail server was out of reach a moment ago", may_work_later=True)
            try:
                await _hand_over(self._url, message)
            except _OutOfReach:
                self._left_alone_until = time.monotonic() + _LEFT_ALONE_SECONDS
                raise
        finally:
            self._turns.release()


class _OutOfReach(Undeliverable):
    pass


@cache
def _server(url: str) -> _Server:
    return _Server(url)


async def _hand_over(url: SplitResult, message: EmailMessage) -> None:
    try:
        async with asyncio.timeout(_LONGEST_SECONDS):
            await aiosmtplib.send(
                message,
                hostname=url.hostname,
                port=url.port,
                username=None if url.username is None else unquote(url.username),
                password=None if url.password is None else unquote(url.password),
                use_tls=url.scheme == "smtps",
                # A password is not said in the clear, whatever a server, or somebody in between, says that it can do.
                start_tls=True if url.username is not None and url.scheme == "smtp" else None,
                timeout=_SECONDS,
            )
    except aiosmtplib.SMTPRecipientsRefused as error:
        rejected = all(_is_lasting(one.code) for one in error.recipients)
        raise Undeliverable("the mail server rejects the mailbox", may_work_later=not rejected) from error
    except aiosmtplib.SMTPDataError as error:
        raise Undeliverable(
            f"the mail server rejects the mail: {error.code}", may_work_later=not _is_lasting(error.code)
        ) from error
    except aiosmtplib.SMTPResponseException as error:
        raise Undeliverable(f"the mail server answered {error.code}", may_work_later=True) from error
    except (aiosmtplib.SMTPNotSupported, ValueError) as error:
        raise Undeliverable(f"this mail cannot be handed over: {type(error).__name__}", may_work_later=True) from error
    except (aiosmtplib.SMTPException, OSError) as error:
        raise _OutOfReach(f"the mail server is out of reach: {type(error).__name__}", may_work_later=True) from error


def _message(mail: Mail, sender: str) -> EmailMessage:
    try:
        to = Address(addr_spec=mailbox(mail.to))
    except ValueError as error:
        raise Undeliverable(f"there can be no such mailbox: {error}", may_work_later=False) from error
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, to, mail.subject
    message["Message-ID"] = f"<{mail.id}@{sender.rpartition('@')[2]}>"
    message.set_content(mail.text)
    return message


def _is_lasting(code: int) -> bool:
    return 500 <= code < 600
