"""Gateways: one origin for the clients of a system, in front of both APIs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

FixedAnswer = str | Mapping[str, Any]
"""A plain text, or a JSON document."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """An origin with the system's own paths, under the words that its clients know.

    The engine's paths of the system are there too: ``/commands/{system}/…`` and ``/views/{system}/…``.
    """

    name: str
    """The system's name; or that with a suffix, as in ``shop.web``, for one of several gateways."""
    port: int
    """Its port in the local stack, unless free ports are asked for."""
    summary: str = ""
    paths: Mapping[str, str] = field(default_factory=dict)
    """Other names of paths of the APIs: ``{"GET /orders/{id}": "/shop/orders/{id}"}``. A method's path has one of both."""
    only_paths: bool = False
    """Whether it has these paths alone, and not all of the system's own."""
    answers: Mapping[str, FixedAnswer] = field(default_factory=dict)
    """Answers to GET that never change, by their paths."""
    health: Mapping[str, Any] = field(default_factory=lambda: {"status": "up"})
    """The answer of ``GET /health`` while both APIs are ready; otherwise it is 503 with the reasons."""

    @property
    def system(self) -> str:
        """The name of its system."""
        return self.name.partition(".")[0]
