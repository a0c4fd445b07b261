"""Imaging: images are recorded without anything of the person whom they show."""

from uuid import UUID

from pydantic import Field

from schemas.health_subscriptions.parts import Code, Label
from schemas.message import Command, Event

REMOVED = "***ANONIMIZADO***"
"""The clients' word in the place of what is not recorded."""


class AnonymiseImage(Command):
    """Records an image without its source, its patient's history and id, and the day on which it came.

    What is not recorded is no part of the command either: it is dropped where a request or a record is read.
    """

    image_id: Code
    modality: Label
    pathology: Label
    anatomical_region: Label
    image_format: Label
    ingested_year: int | None = Field(default=None, ge=1, le=9999, description="Unset: the year of the command.")


class QueryImage(Command, internal=True):
    """Records that an image was looked up, by its number or its id."""

    number_or_id: Label


class ImageAnonymised(Event):
    """An image was recorded without its patient."""

    image_id: str
    modality: str
    pathology: str
    anatomical_region: str
    image_format: str
    patient_id: UUID = Field(description="A pseudonym, new for each image.")
    ingested_year: int


class ImageQueried(Event):
    """An image was looked up."""

    query_id: UUID
    number_or_id: str
    queried_by: str | None


COMMANDS = (AnonymiseImage, QueryImage)
EVENTS = (ImageAnonymised, ImageQueried)
