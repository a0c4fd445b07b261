"""The bodies about data services and their experts."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict

from command_api.health_subscriptions.bodies.body import Cuerpo, OptionalPersonal, as_text
from schemas.health_subscriptions import data_services as services
from schemas.health_subscriptions.parts import Code, Label, Plan, Reason
from schemas.message import Command


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

    codigo: Annotated[Label, BeforeValidator(as_text)] = ""
    cliente: ClienteDeServicio
    plan: CodigoYNombre = CodigoYNombre()


class NuevoServicio(Cuerpo):
    """Un servicio de datos."""

    suscripcion: SuscripcionDeServicio
    experto: Experto = Experto()
    nube: CodigoYNombre = CodigoYNombre()
    dataset: CodigoYNombre = CodigoYNombre()
    id: Annotated[Label | None, BeforeValidator(as_text)] = None


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
        **cuerpo.experto.fields,
    )


def assign_expert(cuerpo: Asignacion, _: Mapping[str, str]) -> Command:
    experto = cuerpo.experto
    return services.AssignExpert(data_service_id=cuerpo.id_serviciodatos, code=experto.codigo, **experto.fields)


def start_data_service(cuerpo: Inicio, _: Mapping[str, str]) -> Command:
    return services.StartDataService(data_service_id=cuerpo.id_serviciodatos)


def finish_data_service(cuerpo: Termino, _: Mapping[str, str]) -> Command:
    return services.FinishDataService(data_service_id=cuerpo.id_serviciodatos, reason=cuerpo.motivo)
