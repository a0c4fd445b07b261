"""Steps that fail on purpose, by which rollbacks can be seen: if a client writes so, and the deployment allows it."""

from schemas.medical_datasets.parts import Packet
from streams.settings import Settings


def is_failing(packet: Packet, word: str, settings: Settings) -> bool:
    """Returns whether the clinical setting of a packet has a word, and failures are simulated (`CAUDAL_DEMO_FAILURES`)."""
    return settings.demo_failures > 0 and word in packet.clinical_setting
