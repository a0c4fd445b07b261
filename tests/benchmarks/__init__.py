"""Benchmarks: ``make bench ARGS="load [--rounds N] [--json]"``."""
