"""Partners as their clients list and read them."""

from typing import Any
from uuid import UUID

import pytest
from starlette.requests import Request

from aggregates.scenario import MIDNIGHT
from query_api.partner_alliances.profiles import detail, listed, partner, partners
from query_api.queries.context import QueryContext
from query_api.views.paging import Page
from schemas.errors import NotFound
from schemas.partner_alliances.rejections import PartnerIsDeleted
from schemas.partner_alliances.views import PartnerProfiles
from schemas.view import View
from tests.unit.query_api.asking import request_of

ID, INTEGRATION = UUID(int=1), UUID(int=2)
TIME = MIDNIGHT.isoformat()
ADDED = {"id": str(INTEGRATION), "type": "API", "name": "Ads", "description": "", "active": False}
ROW = PartnerProfiles(
    partner_id=ID,
    name="Jose",
    email="jose@example.org",
    phone="123",
    address="cra 7",
    kyc_status="approved",
    kyc_documents='{"rut": 1}',
    integrations=[{**ADDED, "created_at": TIME, "revoked_at": TIME}],
    created_at=MIDNIGHT,
).model_dump()
BEGINNING = {
    "id": ID,
    "nombre": "Jose",
    "email": "jose@example.org",
    "telefono": "123",
    "estado": "ACTIVO",
    "estado_kyc": "APROBADO",
    "onboarding": "PENDIENTE",
    "fecha_creacion": MIDNIGHT,
}


class Views:
    """Some partners; keeps the filters of pages."""

    def __init__(self, **changes: Any) -> None:
        self.row_there = {**ROW, **changes}
        self.fixed: tuple[tuple[str, str], ...] = ()

    async def row(self, request: Request, view: type[View], key: str) -> Any:
        if key != str(ID):
            raise NotFound("no row")
        return self.row_there

    async def page(self, request: Request, view: type[View], *fixed: tuple[str, str], limit: int) -> Page:
        self.fixed, self.limit = fixed, limit
        return Page([self.row_there], "next")


def asked(views: Views, id: str = "", query: str = "") -> QueryContext:
    request = request_of("/api/v1/partners", query)
    request.path_params["id"] = id
    return QueryContext(request, views, None, {}, None, None)  # type: ignore[arg-type]


def test_a_row_is_shown_with_the_number_of_its_integrations() -> None:
    assert listed(ROW).model_dump() == {**BEGINNING, "integraciones_count": 1}


def test_one_partner_is_shown_with_its_documents_and_integrations() -> None:
    assert detail(ROW).partner.model_dump() == {
        **BEGINNING,
        "motivo": None,
        "direccion": "cra 7",
        "documentos_kyc": {"rut": 1},
        "fecha_actualizacion": None,
        "integraciones": [
            {
                "id": INTEGRATION,
                "tipo": "API",
                "nombre": "Ads",
                "descripcion": "",
                "activa": False,
                "fecha_creacion": MIDNIGHT,
                "fecha_revocacion": MIDNIGHT,
            }
        ],
    }
    assert detail({**ROW, "kyc_documents": None}).partner.documentos_kyc is None


async def test_the_list_leaves_out_deleted_and_rejected_partners_and_begins_with_the_oldest() -> None:
    views = Views()

    answer = await partners(asked(views))

    assert (answer.body.total, [one.id for one in answer.body.partners]) == (1, [ID])
    assert answer.headers["Link"].endswith('; rel="next"')
    assert (views.fixed, views.limit) == ((("status[in]", "active,inactive"), ("sort", "created_at")), 1000)
    await partners(asked(views, query="sort=name"))
    assert views.fixed == (("status[in]", "active,inactive"),)


async def test_a_deleted_partner_is_gone() -> None:
    assert (await partner(asked(Views(), str(ID)))).body == detail(ROW)
    with pytest.raises(PartnerIsDeleted):
        await partner(asked(Views(status="deleted"), str(ID)))
    with pytest.raises(NotFound):
        await partner(asked(Views(), "x"))


async def test_a_registration_that_was_rejected_says_why() -> None:
    rejected = asked(Views(status="rejected", name=None, reason="another partner has the mailbox"), str(ID))

    shown = (await partner(rejected)).body.partner

    assert (shown.estado, shown.nombre, shown.motivo) == ("RECHAZADO", None, "Ya existe un partner con este email")
