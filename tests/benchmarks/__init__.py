"""Benchmarks: ``make bench ARGS="append|http|growth|load [--rounds N] [--seconds S] [--json]"``."""
