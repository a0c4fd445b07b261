"""The local stack's mail server: it delivers nothing and keeps every message as a file, each message id once.

It runs as a process of its own: ``python -m deploy.local.servers.mail PORT FOLDER``.
"""

import asyncio
import hashlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from deploy.local.ports import LOOPBACK
from deploy.serving.shutdown import stopping_event


@dataclass(frozen=True, slots=True)
class Kept:
    """A message in the mailbox."""

    at: datetime
    to: str
    subject: str
    text: str


class Mailbox:
    """A handler of ``aiosmtpd`` that keeps messages."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Keeps the message of an envelope."""
        content = envelope.content or b""
        content = content if isinstance(content, bytes) else content.encode()
        message_id = message_from_bytes(content)["Message-ID"]
        name = hashlib.sha256((message_id or "").encode() or content).hexdigest()
        path = self._folder / f"{name}.eml"
        if not path.exists():  # a repeated message is accepted and kept once
            fresh = path.with_suffix(".new")
            fresh.write_bytes(content)
            fresh.replace(path)
        return "250 Message accepted for delivery"


def kept_in(folder: Path) -> Iterator[Kept]:
    """Yields the messages in a mailbox's folder, oldest first."""
    for path in sorted(folder.glob("*.eml"), key=lambda path: path.stat().st_mtime_ns):
        message = message_from_bytes(path.read_bytes(), policy=policy.default)
        assert isinstance(message, EmailMessage)
        text = message.get_content() if not message.is_multipart() else ""
        at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        yield Kept(at, str(message["To"]), str(message["Subject"]), str(text).strip())


async def _serve(port: int, folder: Path) -> None:
    loop, stopping = asyncio.get_running_loop(), stopping_event()
    mailbox = Mailbox(folder)
    server = await loop.create_server(lambda: SMTP(mailbox, hostname="localhost", loop=loop), LOOPBACK, port)
    await stopping.wait()
    server.close()


if __name__ == "__main__":
    Path(sys.argv[2]).mkdir(parents=True, exist_ok=True)
    asyncio.run(_serve(int(sys.argv[1]), Path(sys.argv[2])))
