"""Images: each is a stream of its own, so that any number of them is recorded side by side."""

from uuid import UUID, uuid5

from aggregates.decision import Decision, Decisions, Events
from aggregates.stream import Stream
from schemas.envelope import CommandEnvelope
from schemas.health_subscriptions.imaging import AnonymiseImage, ImageAnonymised, ImageQueried, QueryImage

_PSEUDONYMS = UUID("b3a2f7f0-6a36-5c1a-8d6a-0b1c7d8e9f20")

IMAGE = Stream("image")
LOOK_UP = Stream("imagequery")


def anonymise(command: CommandEnvelope[AnonymiseImage]) -> Events:
    """Records an image under a pseudonym that is made of the command's id, so that a repeat gives the same one."""
    fields = {**dict(command.data), "ingested_year": command.data.ingested_year or command.at.year}
    yield ImageAnonymised(patient_id=uuid5(_PSEUDONYMS, str(command.id)), **fields)


def query(command: CommandEnvelope[QueryImage]) -> Events:
    """Records a look-up."""
    yield ImageQueried(query_id=command.id, number_or_id=command.data.number_or_id, queried_by=command.actor)


DECISIONS: Decisions = (
    Decision(AnonymiseImage, IMAGE.create(), anonymise),
    Decision(QueryImage, LOOK_UP.create(), query),
)
