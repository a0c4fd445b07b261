"""Subscriptions and data services in the clients' words."""

from typing import Any
from uuid import UUID

import pytest
from starlette.requests import Request

from aggregates.scenario import MIDNIGHT
from query_api.health_subscriptions.rows import data_service, shown_service, shown_subscription, subscription
from query_api.queries.context import QueryContext
from schemas.errors import NotFound
from schemas.health_subscriptions.views import DataServices, Subscriptions
from schemas.view import View
from tests.unit.query_api.asking import request_of

ID = UUID(int=7)
INVOICE = {
    "invoice_id": str(UUID(int=1)), "total": {"cents": 150_050, "currency": "COP"}, "created_at": MIDNIGHT.isoformat(),
    "method_name": "VISA", "method_ending": "1234",
}  # fmt: skip
SUBSCRIPTION = Subscriptions(
    subscription_id=ID,
    customer_code="0001",
    first_names="Pablo",
    last_names="Perez",
    username="pperez",
    tax_id="1",
    national_id="2",
    email="p@domain.com",
    plan_code="pro",
    plan_name="PRO",
    status="active",
    invoices=[INVOICE],
).model_dump()
SERVICE = DataServices(
    data_service_id=ID, subscription_code="s", customer_code="0001", plan_code="pro", expert_code="e1", status="started"
).model_dump()


class Views:
    """One row of each view."""

    def __init__(self, **changes: Any) -> None:
        self._changes = changes

    async def row(self, request: Request, view: type[View], key: str) -> Any:
        return {**(SUBSCRIPTION if view is Subscriptions else SERVICE), **self._changes}


def asked(**changes: Any) -> QueryContext:
    request = request_of("/x")
    request.path_params["id"] = str(ID)
    return QueryContext(request, Views(**changes), None, {}, None, None)  # type: ignore[arg-type]


def test_a_subscription_has_its_customer_and_invoices_with_the_end_of_the_cards_number() -> None:
    shown = shown_subscription(SUBSCRIPTION)

    assert shown.cliente.model_dump() == {
        "codigo": "0001",
        "nombre": {"nombres": "Pablo", "apellidos": "Perez"},
        "usuario": "pperez",
        "rut": {"numero": "1"},
        "cedula": {"numero": "2"},
        "email": {"address": "p@domain.com", "dominio": "domain.com"},
    }
    assert (shown.id, shown.estado, shown.plan.nombre) == (ID, "Activo", "PRO")
    (invoice,) = shown.facturas
    assert (invoice.valor_total.valor, invoice.pagos[0].medio_pago.numero) == (1500.5, "****1234")


def test_a_data_service_has_its_codes_and_its_state() -> None:
    shown = shown_service(SERVICE)

    assert shown.suscripcion.model_dump() == {"suscripcion": "s", "plan": "pro", "cliente": "0001"}
    assert (shown.experto, shown.estado) == ("e1", "Iniciado")


async def test_what_was_taken_back_is_not_found() -> None:
    assert (await subscription(asked())).body == shown_subscription(SUBSCRIPTION)
    assert (await data_service(asked())).body == shown_service(SERVICE)
    for read in (subscription, data_service):
        with pytest.raises(NotFound):
            await read(asked(status="removed"))
