"""A command: what became of it, and which views and policies have its events."""

from uuid import UUID

from deploy.console.printing import counted
from deploy.operations.commands.receipt import SHOW, CommandReceipt, OneCommand, show_command
from deploy.operations_page.screen import Asked, Screen, Shown, Tone
from schemas.errors import NotFound
from schemas.values.literals import read_uuid


async def show(asked: Asked) -> Shown:
    """Shows the receipt of one command."""
    wanted = OneCommand(context=asked.path["context"], command_id=_id(asked.path["command_id"]))
    found = await show_command(asked.installation, wanted)
    said, tone = answer(found)
    return Shown(said, tone, {"receipt": found}, title=found.command or "Command")


def answer(found: CommandReceipt) -> tuple[str, Tone]:
    """Returns in a sentence what became of a command."""
    if found.rejection is not None:
        return f"It was rejected: {found.rejection}", "warning"
    if not found.events:
        return "It was accepted, and changed nothing.", "plain"
    recorded = f"It recorded {counted(len(found.events), 'event')}"
    if not found.followers:
        return f"{recorded}, which nobody follows.", "good"
    ready = sum(one.has_them for one in found.followers)
    if ready == len(found.followers):
        return f"{recorded}, and everyone who follows them has them.", "good"
    have = f"{ready or 'none'} of {counted(len(found.followers), 'follower')} {'have' if ready > 1 else 'has'} them"
    return f"{recorded}; {have}.", "warning"


def _id(text: str) -> UUID:
    try:
        return read_uuid(text)
    except ValueError:
        raise NotFound(f"{text!r} is not the id of a command") from None


SCREEN = Screen(
    *("/commands/{context}/{command_id}", "command", "Command", "What became of this command?", show, SHOW.access),
    in_menu=False,
)
