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
from schemas.values.text import mailbox
from streams.settings import Settings

_ANSWER_SECONDS = 5
_MAX_SECONDS = 15
_MAX_CONCURRENT = 8
_PAUSE_AFTER_OUTAGE_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Mail:
    """A message in plain text."""

    to: str
    subject: str
    text: str
    id: str
    """Unique, and the same for the same cause: a mailbox can recognise a mail that arrives twice."""


async def send(settings: Settings, mail: Mail) -> None:
    """Sends a message through the mail server of the settings; raises `Undeliverable`.

    It waits at most 15 seconds for a free connection and at most 15 seconds for the server. The error is permanent
    (``may_work_later`` is false) only if the server rejects this mailbox or this mail: an operator can repair anything else.
    After an outage, every mail of the next five seconds fails at once and may work later.
    """
    if settings.mail_url is None:
        raise Undeliverable("no mail server is set: set CAUDAL_MAIL_URL", may_work_later=True)
    message = _message(mail, settings.mail_from)
    url = settings.mail_url.get_secret_value()
    await _server(url).send(message)


class _Server:
    """A mail server: limits the connections to it, and spares it after an outage."""

    def __init__(self, url: str) -> None:
        self._url = urlsplit(url)
        self._turns = asyncio.Semaphore(_MAX_CONCURRENT)
        self._paused_until = 0.0

    async def send(self, message: EmailMessage) -> None:
        """Sends a message when a connection is free; raises `Undeliverable`."""
        try:
            async with asyncio.timeout(_MAX_SECONDS):
                await self._turns.acquire()
        except TimeoutError:
            raise Undeliverable("the mail server is busy", may_work_later=True) from None
        try:
            if time.monotonic() < self._paused_until:
                raise Undeliverable("the mail server was out of reach a moment ago", may_work_later=True)
            try:
                await _deliver(self._url, message)
            except _OutOfReach:
                self._paused_until = time.monotonic() + _PAUSE_AFTER_OUTAGE_SECONDS
                raise
        finally:
            self._turns.release()


class _OutOfReach(Undeliverable):
    pass


@cache
def _server(url: str) -> _Server:
    return _Server(url)


async def _deliver(url: SplitResult, message: EmailMessage) -> None:
    try:
        async with asyncio.timeout(_MAX_SECONDS):
            await aiosmtplib.send(
                message,
                hostname=url.hostname,
                port=url.port,
                username=None if url.username is None else unquote(url.username),
                password=None if url.password is None else unquote(url.password),
                use_tls=url.scheme == "smtps",
                # A password is never sent in the clear, even if the server, or a program on the way to it, offers no TLS.
                start_tls=True if url.username is not None and url.scheme == "smtp" else None,
                timeout=_ANSWER_SECONDS,
            )
    except aiosmtplib.SMTPRecipientsRefused as error:
        rejected = all(_is_permanent(one.code) for one in error.recipients)
        raise Undeliverable("the mail server rejects the mailbox", may_work_later=not rejected) from error
    except aiosmtplib.SMTPDataError as error:
        raise Undeliverable(
            f"the mail server rejects the mail: {error.code}", may_work_later=not _is_permanent(error.code)
        ) from error
    except aiosmtplib.SMTPResponseException as error:
        raise Undeliverable(f"the mail server answered {error.code}", may_work_later=True) from error
    except (aiosmtplib.SMTPNotSupported, ValueError) as error:
        raise Undeliverable(f"the mail cannot be sent: {type(error).__name__}", may_work_later=True) from error
    except (aiosmtplib.SMTPException, OSError) as error:
        raise _OutOfReach(f"the mail server is out of reach: {type(error).__name__}", may_work_later=True) from error


def _message(mail: Mail, sender: str) -> EmailMessage:
    try:
        to = Address(addr_spec=mailbox(mail.to))
    except ValueError as error:
        raise Undeliverable(f"the mailbox is not an address: {error}", may_work_later=False) from error
    message = EmailMessage()
    try:
        message["From"], message["To"], message["Subject"] = sender, to, mail.subject
        message["Message-ID"] = f"<{mail.id}@{sender.rpartition('@')[2]}>"
        message.set_content(mail.text)
    except ValueError as error:
        raise Undeliverable(f"the mail cannot be written: {error}", may_work_later=False) from error
    return message


def _is_permanent(code: int) -> bool:
    return 500 <= code < 600
