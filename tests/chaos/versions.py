"""`python -m tests.chaos.versions older|newer …`: the `caudal` command of another version of the system.

The older version does not know how deliveries are processed. The newer one also follows the duplicates.
"""

import sys
from dataclasses import replace

import projectors.data_ingestion
from deploy.cli import app
from schemas.data_ingestion.processing import DataProcessed, DuplicateFound
from schemas.message import Event

if __name__ == "__main__":
    _, version, *arguments = sys.argv
    (records,) = projectors.data_ingestion.PROJECTIONS
    events: dict[str, tuple[type[Event], ...]] = {
        "older": tuple(event for event in records.events if event is not DataProcessed),
        "newer": (*records.events, DuplicateFound),
    }
    projectors.data_ingestion.PROJECTIONS = (replace(records, events=events[version]),)
    sys.argv = ["caudal", *arguments]
    app()
