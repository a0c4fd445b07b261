"""The mail to the operator."""

from dataclasses import replace

import pytest

from aggregates.medical_datasets.notifications import request
from aggregates.notifications.notification import Notification
from command_api.medical_datasets.mail import address, mailbox, text
from schemas.errors import Undeliverable
from schemas.medical_datasets.notifications import Kind
from streams.settings import Settings
from tests.unit.command_api.activity_context import context_of, sent

MAIL = Notification(kind="dataset_created", recipients=("operator",), about="p 1")
WITH_OPERATOR = replace(context_of(), settings=Settings(mail_operator="ops@example.org"))
WITHOUT = replace(context_of(), settings=Settings())


async def test_mail_is_requested_and_goes_to_the_operator_if_there_is_an_address() -> None:
    command = request("dataset_created", "p 1")

    assert await address(sent(command), WITH_OPERATOR) == command
    assert (await address(sent(command), WITHOUT)).recipients == ()
    assert await mailbox(MAIL, WITH_OPERATOR) == "ops@example.org"
    with pytest.raises(Undeliverable, match="no address"):
        await mailbox(MAIL, WITHOUT)


@pytest.mark.parametrize(
    ("kind", "subject", "path"),
    [
        ("dataset_created", "Dataset creado", "/procesamiento/datasets/p%201"),
        ("anonymisation_failed", "Anonimización fallida", "/anonimacion/solicitudes/p%201"),
        ("mapping_failed", "Mapeo fallido", None),
        ("processing_failed", "Procesamiento fallido", "/procesamiento/datasets/p%201"),
        ("took_too_long", "Solicitud sin terminar", "/anonimacion/solicitudes/p%201"),
        ("dataset_took_too_long", "Paquete sin terminar", None),
    ],
)
def test_it_says_what_happened_and_shows_where_more_can_be_read(kind: Kind, subject: str, path: str | None) -> None:
    found, body = text(MAIL.replace(kind=kind))

    assert found == f"{subject}: p 1"
    assert "\nId: p 1\n" in body
    assert ("Ver" in body) is (path is not None)
    assert path is None or body.endswith(f"Ver {path}\n")
