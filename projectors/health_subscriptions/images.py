"""Images: a row for each, by the position of its event, which is its number."""

from projectors.projection import Projection
from schemas.envelope import RecordedEvent
from schemas.health_subscriptions.imaging import ImageAnonymised
from schemas.health_subscriptions.views import Images


def image(row: Images, event: RecordedEvent[ImageAnonymised]) -> Images:
    return row.replace(**dict(event.data))


PROJECTIONS = (Projection(Images, image, events=(ImageAnonymised,), key=lambda event: event.position),)
