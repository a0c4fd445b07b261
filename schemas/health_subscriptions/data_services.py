"""Data services: what a subscription of a plan with infrastructure gets."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, model_validator

from schemas.health_subscriptions.parts import Code, Label, Part, Plan, Reason, expert_id_of
from schemas.health_subscriptions.roles import MANAGERS
from schemas.message import Command, Event
from schemas.sensitive import Encrypted, Sensitive

_OF_EXPERTS = frozenset({"first_names", "last_names", "username", "national_id", "email"})
OptionalText = Annotated[str | None, Sensitive(max_length=200)]

NO_DATA_SERVICE = "No existe el servicio de datos"
EXISTS = "El servicio de datos ya existe"
NO_EXPERT = "El servicio de datos no tiene un experto asignado"
WRONG_STATE = "El estado del servicio de datos no lo permite"


class Cloud(Part):
    """The place at which a data service is provided."""

    code: Label = ""
    name: Label = ""
    type: Label = ""


class Dataset(Part):
    """The data of a service."""

    code: Label = ""
    name: Label = ""


class Expert(Part):
    """The expert who serves a data service; all but the code is encrypted."""

    code: str
    first_names: Encrypted
    last_names: Encrypted
    username: Encrypted
    national_id: Encrypted
    email: Encrypted


class CreateDataService(Command, subject="expert_id", access=MANAGERS):
    """Creates a data service, with its expert if one is named; its id is that of the command."""

    subscription_code: Label = ""
    customer_code: Code
    plan: Plan = Plan()
    cloud: Cloud = Cloud()
    dataset: Dataset = Dataset()
    external_id: Label | None = Field(default=None, description="The client's own id of it.")
    expert_code: Label = ""
    first_names: OptionalText = None
    last_names: OptionalText = None
    username: OptionalText = None
    national_id: OptionalText = None
    email: OptionalText = None

    @model_validator(mode="before")
    @classmethod
    def _without_a_nameless_expert(cls, given: Any) -> Any:
        """Drops what is said of an expert without a code: it could be no data of a subject."""
        if not isinstance(given, Mapping) or str(given.get("expert_code") or "").strip():
            return given
        return {name: value for name, value in given.items() if name not in _OF_EXPERTS}

    @property
    def expert_id(self) -> UUID:
        """The data subject."""
        return expert_id_of(self.expert_code)


class ProvisionInfrastructure(Command, internal=True):
    """Provides what a subscription's plan has; a failure is recorded as an event."""

    subscription_id: UUID
    customer_code: Code
    plan_code: Label = ""


class ProvisionPlan(ProvisionInfrastructure, internal=True):
    """The same for the saga of a subscription; rejected if there is a data service already, which then is not its own."""


class RecordProvisioning(Command, internal=True):
    """Records whether the infrastructure of a subscription was provided."""

    subscription_id: UUID
    customer_code: Code
    plan_code: Label
    cloud: Cloud | None = Field(description="Null if it could not be provided.")
    problem: str | None = None
    is_of_saga: bool = False


class RemoveInfrastructure(Command, internal=True):
    """Takes back what was provided for a subscription; without any there is nothing to record."""

    subscription_id: UUID
    reason: Reason = ""


class RecordRemoval(Command, internal=True):
    """Records that what was provided is gone."""

    subscription_id: UUID
    reason: Reason = ""


class StartDataService(Command, access=MANAGERS):
    """Starts a data service that has an expert."""

    data_service_id: UUID


class FinishDataService(Command, access=MANAGERS):
    """Finishes a data service that was started."""

    data_service_id: UUID
    reason: Reason = ""


class AssignExpert(Command, subject="expert_id", access=MANAGERS):
    """Assigns an expert to a data service."""

    data_service_id: UUID
    code: Code
    first_names: OptionalText = None
    last_names: OptionalText = None
    username: OptionalText = None
    national_id: OptionalText = None
    email: OptionalText = None

    @property
    def expert_id(self) -> UUID:
        """The data subject."""
        return expert_id_of(self.code)


class DataServiceCreated(Event):
    """A data service was created."""

    data_service_id: UUID
    subscription_id: UUID | None = Field(description="Null if it was created by itself.")
    subscription_code: str
    customer_code: str
    plan: Plan
    cloud: Cloud
    dataset: Dataset
    external_id: str | None
    expert_code: str | None = Field(default=None, description="Null if it was created without an expert.")


class InfrastructureCreated(Event):
    """A subscription got the infrastructure that its plan has."""

    data_service_id: UUID
    subscription_id: UUID


class InfrastructureNotCreated(Event):
    """A subscription did not get the infrastructure that its plan has."""

    data_service_id: UUID
    subscription_id: UUID
    reason: str


class InfrastructureRemoved(Event):
    """The infrastructure of a subscription was taken back."""

    data_service_id: UUID
    subscription_id: UUID
    reason: str


class ExpertAssigned(Event):
    """A data service got an expert."""

    data_service_id: UUID
    subscription_id: UUID | None
    expert: Expert


class DataServiceStarted(Event):
    """A data service was started."""

    data_service_id: UUID
    subscription_id: UUID | None


class DataServiceFinished(Event):
    """A data service was finished."""

    data_service_id: UUID
    subscription_id: UUID | None
    reason: str


class DataServiceChangeRejected(Event):
    """A change of a data service was not possible."""

    data_service_id: UUID
    subscription_id: UUID | None = Field(description="Null if it was created by itself, or there is none.")
    operation: str
    reason: str


COMMANDS = (
    CreateDataService,
    ProvisionInfrastructure,
    ProvisionPlan,
    RecordProvisioning,
    RemoveInfrastructure,
    RecordRemoval,
    AssignExpert,
    StartDataService,
    FinishDataService,
)
EVENTS = (
    DataServiceCreated,
    InfrastructureCreated,
    InfrastructureNotCreated,
    InfrastructureRemoved,
    ExpertAssigned,
    DataServiceStarted,
    DataServiceFinished,
    DataServiceChangeRejected,
)
