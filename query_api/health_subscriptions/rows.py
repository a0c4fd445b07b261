"""Subscriptions and data services in the clients' words."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from query_api.queries.context import Answer, QueryContext
from query_api.queries.query import Query
from query_api.views.paging import Row
from schemas.errors import NotFound
from schemas.health_subscriptions.clients import dialect
from schemas.health_subscriptions.clients.spanish import (
    DATA_SERVICE_STATES,
    SUBSCRIPTION_STATES,
    EstadoDeServicio,
    EstadoDeSuscripcion,
)
from schemas.health_subscriptions.views import DataServices, Subscriptions


class Nombre(BaseModel):
    """Los nombres del cliente."""

    nombres: str | None
    apellidos: str | None


class Numero(BaseModel):
    """El número de un documento."""

    numero: str | None


class Email(BaseModel):
    """Una dirección de correo."""

    address: str | None
    dominio: str | None


class Cliente(BaseModel):
    """El cliente de una suscripción."""

    codigo: str | None
    nombre: Nombre
    usuario: str | None
    rut: Numero
    cedula: Numero
    email: Email


class CodigoYNombre(BaseModel):
    """Algo con código y nombre."""

    codigo: str | None
    nombre: str | None


class Valor(BaseModel):
    """Un valor en una moneda."""

    moneda: str
    valor: float


class MedioDePago(BaseModel):
    """Un medio de pago."""

    nombre: str
    numero: str


class Pago(BaseModel):
    """El pago de una factura."""

    valor: Valor
    medio_pago: MedioDePago


class Factura(BaseModel):
    """Una factura."""

    id: UUID
    valor_total: Valor
    fecha_creacion: datetime
    pagos: list[Pago]


class Suscripcion(BaseModel):
    """Una suscripción."""

    cliente: Cliente
    plan: CodigoYNombre
    facturas: list[Factura]
    id: UUID
    estado: EstadoDeSuscripcion


class DeServicio(BaseModel):
    """Los códigos de la suscripción de un servicio de datos."""

    suscripcion: str | None
    plan: str | None
    cliente: str | None


class Servicio(BaseModel):
    """Un servicio de datos."""

    suscripcion: DeServicio
    experto: str | None
    nube: CodigoYNombre
    dataset: CodigoYNombre
    estado: EstadoDeServicio
    id: UUID


async def subscription(context: QueryContext) -> Answer:
    """Returns a subscription; raises `NotFound`, also for one whose creation was taken back."""
    return Answer(shown_subscription(await _row(context, Subscriptions)))


async def data_service(context: QueryContext) -> Answer:
    """Returns a data service; raises `NotFound`, also for one that was taken back."""
    return Answer(shown_service(await _row(context, DataServices)))


async def _row(context: QueryContext, view: type[Subscriptions] | type[DataServices]) -> Row:
    row = await context.views.row(context.request, view, context.path_parameter("id"))
    if row["status"] == "removed":
        raise NotFound("its creation was taken back")
    return row


def shown_subscription(row: Row) -> Suscripcion:
    """Returns a subscription in the clients' words."""
    email = row["email"]
    return Suscripcion(
        cliente=Cliente(
            codigo=row["customer_code"],
            nombre=Nombre(nombres=row["first_names"], apellidos=row["last_names"]),
            usuario=row["username"],
            rut=Numero(numero=row["tax_id"]),
            cedula=Numero(numero=row["national_id"]),
            email=Email(address=email, dominio=None if email is None else email.rpartition("@")[2]),
        ),
        plan=CodigoYNombre(codigo=row["plan_code"], nombre=row["plan_name"]),
        facturas=[_invoice(one) for one in row["invoices"]],
        id=row["subscription_id"],
        estado=SUBSCRIPTION_STATES[row["status"]],
    )


def shown_service(row: Row) -> Servicio:
    """Returns a data service in the clients' words."""
    return Servicio(
        suscripcion=DeServicio(suscripcion=row["subscription_code"], plan=row["plan_code"], cliente=row["customer_code"]),
        experto=row["expert_code"],
        nube=CodigoYNombre(codigo=row["cloud_code"], nombre=row["cloud_name"]),
        dataset=CodigoYNombre(codigo=row["dataset_code"], nombre=row["dataset_name"]),
        estado=DATA_SERVICE_STATES[row["status"]],
        id=row["data_service_id"],
    )


def _invoice(invoice: dict[str, Any]) -> Factura:
    total = Valor(moneda=invoice["total"]["currency"], valor=invoice["total"]["cents"] / 100)
    number = f"****{invoice['method_ending']}"
    return Factura(
        id=invoice["invoice_id"],
        valor_total=total,
        fecha_creacion=invoice["created_at"],
        pagos=[Pago(valor=total, medio_pago=MedioDePago(nombre=invoice["method_name"], numero=number))],
    )


QUERIES = (
    Query(
        "/suscripciones/suscripcion-query/{id}",
        Subscriptions,
        "One subscription.",
        key="id",
        shape=shown_subscription,
        handler=subscription,
        errors=dialect.SUBSCRIPTIONS,
    ),
    Query(
        "/serviciodatos/serviciodatos-query/{id}",
        DataServices,
        "One data service.",
        key="id",
        shape=shown_service,
        handler=data_service,
        errors=dialect.DATA_SERVICES,
    ),
)
