"""Every operation and every reading, by name."""

from collections.abc import Mapping
from typing import Any

from deploy.operations import history
from deploy.operations.commands import receipt
from deploy.operations.dead_letters import listing as dead_letters
from deploy.operations.dead_letters.records import RECORDS
from deploy.operations.dead_letters.resolving import EDIT, REDRIVE, SKIP
from deploy.operations.doctor.diagnosis import DOCTOR
from deploy.operations.operation import Operation
from deploy.operations.projections import versions
from deploy.operations.projections.rebuilding import REBUILD
from deploy.operations.reading import Reading
from deploy.operations.recovery.recovering import RECOVER
from deploy.operations.relay.backfill import BACKFILL
from deploy.operations.sagas import listing as sagas
from deploy.operations.sagas import timeline
from deploy.operations.sagas.instructing import CANCEL, RETRY
from deploy.operations.status.reading import STATUS
from deploy.operations.subjects.erasing import ERASE
from deploy.operations.subjects.finding import FIND
from deploy.operations.subscriptions import listing as subscriptions
from deploy.operations.subscriptions.control import PAUSE, RESET, RESUME
from deploy.operations.verify.run import VERIFY

_OPERATIONS: tuple[Operation[Any], ...] = (
    *(PAUSE, RESUME, RESET),
    *(REDRIVE, SKIP, EDIT),
    *(REBUILD, versions.ROLLBACK, versions.DISCARD),
    *(RETRY, CANCEL),
    *(BACKFILL, RECOVER, VERIFY, ERASE, FIND),
)
_READINGS: tuple[Reading[Any, Any], ...] = (
    *(STATUS, DOCTOR, subscriptions.LIST, dead_letters.LIST, dead_letters.SHOW, RECORDS),
    *(versions.LIST, sagas.LIST, timeline.SHOW, history.LIST, receipt.SHOW),
)
OPERATIONS: Mapping[str, Operation[Any]] = {one.name: one for one in _OPERATIONS}
READINGS: Mapping[str, Reading[Any, Any]] = {one.name: one for one in _READINGS}
