"""The bodies of the subscriptions' clients, and the commands that they make."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from schemas.health_subscriptions import data_services as services
from schemas.health_subscriptions import subscriptions
from schemas.health_subscriptions.clients.images import described
from schemas.health_subscriptions.clients.spanish import DICOM, NO_MOMENT, ending_of, year_of
from schemas.health_subscriptions.imaging import FetchImage, ImageUrl
from schemas.health_subscriptions.notifications import ReceiveEvent
from schemas.health_subscriptions.parts import Code, Label, Money, Plan, Reason
from schemas.message import Command
from schemas.sensitive import RequiredSensitiveMailbox, Sensitive
from schemas.values.money import Currency, cents_of
from schemas.values.stated import Stated

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


def _as_text(value: object) -> object:
    """Returns an integer as text: clients send the numbers of documents as either."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _moment(fecha: str) -> str:
    year_of(fecha)
    return fecha


Personal = Annotated[str, Sensitive(max_length=200), BeforeValidator(_as_text)]
OptionalPersonal = Annotated[str | None, Sensitive(max_length=200), BeforeValidator(_as_text)]
Fecha = Annotated[str, AfterValidator(_moment), Stated(rules=(NO_MOMENT,)), Field(examples=["2025-02-10 12:00:00"])]
Dato = Annotated[str, StringConstraints(max_length=10_000)]
"""A text that is not kept."""


class Cuerpo(BaseModel):
    """A body, which has no fields but those that it declares."""

    model_config = ConfigDict(frozen=True, extra="forbid")


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
    numero: Annotated[str, StringConstraints(max_length=100), BeforeValidator(_as_text)] = ""


class Pago(Cuerpo):
    """El pago de una suscripción."""

    id_suscripcion: UUID
    valor: Valor
    medio_pago: MedioDePago = MedioDePago()


class Nombre(Cuerpo):
    """Los nombres de una persona."""

    nombres: OptionalPersonal = None
    apellidos: OptionalPersonal = None


class Numero(Cuerpo):
    """El número de un documento."""

    numero: OptionalPersonal = None


class Experto(Cuerpo):
    """El experto de un servicio de datos."""

    codigo: Label = ""
    nombre: Nombre = Nombre()
    usuario: OptionalPersonal = None
    cedula: Numero = Numero()
    email: OptionalPersonal = None

    @property
    def fields(self) -> dict[str, Any]:
        """The fields of the commands that it makes, but the code."""
        return {
            "first_names": self.nombre.nombres,
            "last_names": self.nombre.apellidos,
            "username": self.usuario,
            "national_id": self.cedula.numero,
            "email": self.email,
        }


class ExpertoAsignado(Experto):
    """El experto que se asigna."""

    codigo: Code


class CodigoYNombre(Cuerpo):
    """Algo con código y nombre."""

    codigo: Label = ""
    nombre: Label = ""


class ClienteDeServicio(BaseModel):
    """El cliente de un servicio de datos, del que se conserva el código."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    codigo: Code


class SuscripcionDeServicio(Cuerpo):
    """La suscripción de un servicio de datos."""

    codigo: Annotated[Label, BeforeValidator(_as_text)] = ""
    cliente: ClienteDeServicio
    plan: CodigoYNombre = CodigoYNombre()


class NuevoServicio(Cuerpo):
    """Un servicio de datos."""

    suscripcion: SuscripcionDeServicio
    experto: Experto = Experto()
    nube: CodigoYNombre = CodigoYNombre()
    dataset: CodigoYNombre = CodigoYNombre()
    id: Annotated[Label | None, BeforeValidator(_as_text)] = None


class Asignacion(Cuerpo):
    """La asignación de un experto."""

    id_serviciodatos: UUID
    experto: ExpertoAsignado


class Inicio(Cuerpo):
    """El inicio de un servicio de datos."""

    id_serviciodatos: UUID


class Termino(Cuerpo):
    """El término de un servicio de datos."""

    id_serviciodatos: UUID
    motivo: Reason = ""


class Imagen(Cuerpo):
    """Los datos de una imagen; de quién es, de dónde viene y sus antecedentes no se conservan."""

    id_imagen: Code
    modalidad: Label = ""
    patologia: Label = ""
    region_anatomica: Label = ""
    formato_imagen: Label = ""
    fuente_de_datos: Dato = ""
    antecedentes: Dato = ""
    id_paciente: Dato = ""
    fecha_ingesta: Fecha | None = None


class ImagenEnviada(Imagen):
    """Los datos de una imagen, quizás con la URL de su archivo DICOM en una fuente permitida, que se descarga después."""

    url_imagen: ImageUrl | None = None


class ImagenCompleta(Imagen):
    """Los datos de una imagen, de los que ninguno importante falta."""

    modalidad: Label
    formato_imagen: Label
    fuente_de_datos: Dato
    fecha_ingesta: Fecha


class ImagenDicom(Cuerpo):
    """Lo que se dice de una imagen que llega como archivo DICOM; sin modalidad se toma la del archivo."""

    id_imagen: Code
    modalidad: Label = ""
    patologia: Label = ""
    region_anatomica: Label = ""
    fecha_ingesta: Fecha | None = None


class EventoDePrueba(Cuerpo):
    """Un evento de prueba."""

    event: Annotated[str, StringConstraints(min_length=1, max_length=10_000)]


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


def create_data_service(cuerpo: NuevoServicio, _: Mapping[str, str]) -> Command:
    suscripcion = cuerpo.suscripcion
    return services.CreateDataService(
        subscription_code=suscripcion.codigo,
        customer_code=suscripcion.cliente.codigo,
        plan=Plan(code=suscripcion.plan.codigo, name=suscripcion.plan.nombre),
        cloud=services.Cloud(code=cuerpo.nube.codigo, name=cuerpo.nube.nombre),
        dataset=services.Dataset(code=cuerpo.dataset.codigo, name=cuerpo.dataset.nombre),
        external_id=cuerpo.id,
        expert_code=cuerpo.experto.codigo,
        **(cuerpo.experto.fields if cuerpo.experto.codigo.strip() else {}),
    )


def assign_expert(cuerpo: Asignacion, _: Mapping[str, str]) -> Command:
    experto = cuerpo.experto
    return services.AssignExpert(data_service_id=cuerpo.id_serviciodatos, code=experto.codigo, **experto.fields)


def start_data_service(cuerpo: Inicio, _: Mapping[str, str]) -> Command:
    return services.StartDataService(data_service_id=cuerpo.id_serviciodatos)


def finish_data_service(cuerpo: Termino, _: Mapping[str, str]) -> Command:
    return services.FinishDataService(data_service_id=cuerpo.id_serviciodatos, reason=cuerpo.motivo)


def anonymise(cuerpo: Imagen, _: Mapping[str, str]) -> Command:
    return described(
        cuerpo.id_imagen,
        cuerpo.modalidad,
        cuerpo.patologia,
        cuerpo.region_anatomica,
        cuerpo.formato_imagen,
        cuerpo.fecha_ingesta,
    )


def process(cuerpo: ImagenEnviada, parameters: Mapping[str, str]) -> Command:
    image = anonymise(cuerpo, parameters)
    if cuerpo.url_imagen is None:
        return image
    return FetchImage(url=cuerpo.url_imagen, **{**dict(image), "image_format": DICOM})


def receive(cuerpo: EventoDePrueba, _: Mapping[str, str]) -> Command:
    return ReceiveEvent(text=cuerpo.event)
