"""For processes under libfaketime, which rejects sleeps until a time of the monotonic clock: those of Python's `time.sleep`."""

import select
import time


def sleep(seconds: float) -> None:
    select.select([], [], [], seconds)


time.sleep = sleep  # type: ignore[assignment]
