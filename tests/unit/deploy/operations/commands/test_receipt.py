"""The receipt of a command, as a terminal shows it."""

import io
from datetime import UTC, datetime, timedelta
from uuid import UUID

from rich.console import Console

from deploy.operations.commands.receipt import CommandReceipt, EventOfCommand, FollowerOfCommand, print_receipt

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
ID = UUID(int=1)


def printed(receipt: CommandReceipt) -> str:
    out = io.StringIO()
    print_receipt(receipt, Console(file=out, width=200), NOW)
    return out.getvalue()


def test_an_accepted_command_is_shown_with_its_events_and_their_followers() -> None:
    followers = [FollowerOfCommand("shop.orders", "projection", True), FollowerOfCommand("shop.mail", "policy", False)]
    events = [EventOfCommand(7, "Ordered", "order-1", 1)]
    at = NOW - timedelta(minutes=2)
    text = printed(CommandReceipt("shop.orders", ID, "order", "ana", "c", "order-1", 1, at, None, events, followers))

    assert f"order {ID}: accepted" in text
    assert ", by ana" in text
    assert "7  Ordered  order-1 1" in text
    assert "projection shop.orders has them" in text
    assert "policy shop.mail does not have them" in text


def test_a_rejected_command_is_shown_with_the_reason() -> None:
    text = printed(CommandReceipt("shop.orders", ID, None, None, None, "order-1", 1, NOW, "sold out", (), ()))

    assert f"Command {ID}: rejected" in text
    assert "sold out" in text
