"""Pure decisions: aggregates, policies and sagas. No I/O, no clock, no asyncio."""
