"""A body, and the texts that several bodies have."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict

from schemas.sensitive import Sensitive


def as_text(value: object) -> object:
    """Returns an integer as text: clients send the numbers of documents as either."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Personal = Annotated[str, Sensitive(max_length=200), BeforeValidator(as_text)]
OptionalPersonal = Annotated[str | None, Sensitive(max_length=200), BeforeValidator(as_text)]


class Cuerpo(BaseModel):
    """A body, which has no fields but those that it declares."""

    model_config = ConfigDict(frozen=True, extra="forbid")
