"""The bodies about subscriptions: flat or nested, as clients send them."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from command_api.health_subscriptions.bodies.body import Cuerpo, Personal, as_text
from schemas.health_subscriptions import subscriptions
from schemas.health_subscriptions.clients.spanish import ending_of
from schemas.health_subscriptions.parts import Code, Label, Money, Plan, Reason
from schemas.message import Command
from schemas.sensitive import RequiredSensitiveMailbox
from schemas.values.money import Currency, cents_of

_FLAT: Mapping[str, tuple[str, ...]] = {
    "cliente_codigo": ("cliente", "codigo"),
    "cliente_nombres": ("cliente", "nombre", "nombres"),
    "cliente_apellidos": ("cliente", "nombre", "apellidos"),
    "cliente_usuario": ("cliente", "usuario"),
    "cliente_rut": ("cliente", "rut", "numero"),
    "cliente_cedula": ("cliente", "cedula", "numero"),
    "cliente_email": ("cliente", "email"),
    "plan_codigo": ("plan", "codigo"),
    "plan_nombre": ("plan", "nombre"),
}
"""The flat names of members of the nested form."""


class NuevaSuscripcion(Cuerpo):
    """Una suscripción, con los datos del cliente y del plan uno por uno, o dentro de `cliente` y `plan`."""

    cliente_codigo: Code
    cliente_nombres: Personal
    cliente_apellidos: Personal
    cliente_usuario: Personal
    cliente_rut: Personal
    cliente_cedula: Personal
    cliente_email: RequiredSensitiveMailbox
    plan_codigo: Label = ""
    plan_nombre: Label = ""
    id_suscripcion: UUID | None = None

    @model_validator(mode="before")
    @classmethod
    def _flat(cls, given: Any) -> Any:
        if not isinstance(given, Mapping) or not {"cliente", "plan"} & given.keys():
            return given
        flat = {name: found for name, path in _FLAT.items() if (found := _at(given, path)) is not None}
        return {name: value for name, value in given.items() if name not in ("cliente", "plan", "facturas")} | flat

    @property
    def fields(self) -> dict[str, Any]:
        """The fields of the commands that it makes."""
        return {
            "subscription_id": self.id_suscripcion,
            "customer_code": self.cliente_codigo,
            "first_names": self.cliente_nombres,
            "last_names": self.cliente_apellidos,
            "username": self.cliente_usuario,
            "tax_id": self.cliente_rut,
            "national_id": self.cliente_cedula,
            "email": self.cliente_email,
            "plan": Plan(code=self.plan_codigo, name=self.plan_nombre),
        }


def _at(given: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    found: Any = given
    for name in path:
        if not isinstance(found, Mapping):
            return None
        found = found.get(name)
    return found


class CambioDePlan(Cuerpo):
    """El nuevo plan de una suscripción."""

    id_suscripcion: UUID
    plan_codigo: Label
    plan_nombre: Label = ""


class Cancelacion(Cuerpo):
    """Por qué se cancela una suscripción."""

    id_suscripcion: UUID
    motivo: Reason = ""


class Valor(Cuerpo):
    """Un valor en una moneda."""

    moneda: Currency
    valor: Annotated[float, Field(ge=0.01, le=10**12)]


class MedioDePago(Cuerpo):
    """Un medio de pago. De su número se conservan los últimos cuatro caracteres."""

    nombre: Label = ""
    numero: Annotated[str, StringConstraints(max_length=100), BeforeValidator(as_text)] = ""


class Pago(Cuerpo):
    """El pago de una suscripción."""

    id_suscripcion: UUID
    valor: Valor
    medio_pago: MedioDePago = MedioDePago()


def start_subscription(cuerpo: NuevaSuscripcion, _: Mapping[str, str]) -> Command:
    return subscriptions.StartSubscription(**cuerpo.fields)


def create_subscription(cuerpo: NuevaSuscripcion, _: Mapping[str, str]) -> Command:
    return subscriptions.CreateSubscription(**cuerpo.fields)


def change_plan(cuerpo: CambioDePlan, _: Mapping[str, str]) -> Command:
    plan = Plan(code=cuerpo.plan_codigo, name=cuerpo.plan_nombre)
    return subscriptions.ChangePlan(subscription_id=cuerpo.id_suscripcion, plan=plan)


def cancel(cuerpo: Cancelacion, _: Mapping[str, str]) -> Command:
    return subscriptions.CancelSubscription(subscription_id=cuerpo.id_suscripcion, reason=cuerpo.motivo)


def pay(cuerpo: Pago, _: Mapping[str, str]) -> Command:
    return subscriptions.PaySubscription(
        subscription_id=cuerpo.id_suscripcion,
        total=Money(cents=cents_of(cuerpo.valor.valor), currency=cuerpo.valor.moneda),
        method_name=cuerpo.medio_pago.nombre,
        method_ending=ending_of(cuerpo.medio_pago.numero),
    )
