"""Pure decisions: aggregates, policies and processes. No I/O, no clock, no asyncio."""
