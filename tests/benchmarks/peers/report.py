"""What a program of this folder prints at its end."""

import json
import sys
from typing import Literal

Case = Literal["new", "hot"]
PAYLOAD = json.dumps({"text": "x" * 244})
"""256 bytes of JSON."""


def report(case: str, clients: int, events: int, seconds: float) -> None:
    """One line: how many events in how many seconds."""
    sys.stdout.write(json.dumps({"case": case, "clients": clients, "events": events, "seconds": round(seconds, 3)}) + "\n")
