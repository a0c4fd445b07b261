"""Telemetry: structured logs, traces, and loops that report their outages."""
