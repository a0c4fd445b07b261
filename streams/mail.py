"""Mail over SMTP."""

import asyncio
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

import aiosmtplib

from schemas.errors import Undeliverable
from schemas.text import mailbox
from streams.settings import Settings

_SECONDS = 5
_LONGEST_SECONDS = 15


@dataclass(frozen=True, slots=True)
class Mail:
    """A message in plain text."""

    to: str
    subject: str
    text: str
    id: str
    """Unique, and always the same for the same cause: a mailbox that gets it twice can tell."""


async def send(settings: Settings, mail: Mail) -> None:
    """Hands a message to the mail server within 15 s; raises `Undeliverable`.

    For good only where the server refuses this mailbox or this mail: whatever else is wrong, an operator may mend.
    """
    if settings.mail_url is None:
        raise Undeliverable("no mail server is set: CAUDAL_MAIL_URL", may_work_later=True)
    url = urlsplit(settings.mail_url.get_secret_value())
    message = _message(mail, settings.mail_from)
    try:
        async with asyncio.timeout(_LONGEST_SECONDS):
            await aiosmtplib.send(
                message,
                hostname=url.hostname,
                port=url.port,
                username=None if url.username is None else unquote(url.username),
                password=None if url.password is None else unquote(url.password),
                use_tls=url.scheme == "smtps",
                timeout=_SECONDS,
            )
    except aiosmtplib.SMTPRecipientsRefused as error:
        refused = all(_is_lasting(one.code) for one in error.recipients)
        raise Undeliverable("the mail server refuses the mailbox", may_work_later=not refused) from error
    except aiosmtplib.SMTPDataError as error:
        raise Undeliverable(
            f"the mail server refuses the mail: {error.code}", may_work_later=not _is_lasting(error.code)
        ) from error
    except aiosmtplib.SMTPResponseException as error:
        raise Undeliverable(f"the mail server answered {error.code}", may_work_later=True) from error
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:
        raise Undeliverable(f"the mail server is out of reach: {type(error).__name__}", may_work_later=True) from error


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
