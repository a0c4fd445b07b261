"""The diagnosis: everything that an installation needs, and what is wrong with it."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import TypeAdapter
from rich.console import Console

from deploy.console.printing import counted
from deploy.operations.doctor.checks import STYLES, Examined, State, examined
from deploy.operations.installation import OpenInstallation
from deploy.operations.reading import Reading
from deploy.operations.run import Parameters

STATES: tuple[State, ...] = ("good", "attention", "down")
"""From the best to the worst."""


class Everything(Parameters):
    """The whole installation."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The examined parts of an installation."""

    state: State
    sentence: str
    parts: Sequence[Examined]

    @classmethod
    def of(cls, parts: Sequence[Examined]) -> "Diagnosis":
        """Returns the diagnosis of what was found."""
        state = STATES[max((STATES.index(one.state) for one in parts), default=0)]
        wrong = [one for one in parts if one.state != "good"]
        faults = sum(one.state == "down" for one in wrong)
        if not wrong:
            return cls(state, "Nothing is wrong with this installation.", parts)
        return cls(state, f"{counted(faults, 'fault')}, and {counted(len(wrong) - faults, 'thing')} to look at.", parts)


async def diagnose(installation: OpenInstallation, _: Everything) -> Diagnosis:
    """Says what is wrong with an installation, and what to do: its settings, databases, broker, keys, clocks and processes."""
    return Diagnosis.of(await examined(installation))


def print_diagnosis(found: Diagnosis, out: Console) -> None:
    """Prints each part in a line, with the advice below."""
    width = max(len(one.part) for one in found.parts)
    for one in found.parts:
        word, style = STYLES[one.state]
        out.print(f"[{style}]{word:>5}[/]  {one.part:{width}}  ", end="")
        out.print(one.found, markup=False)
        if one.advice:
            out.print(f"{'':{width + 9}}{one.advice}", style="dim", markup=False)
    out.print(found.sentence, markup=False)


DOCTOR = Reading("doctor", Everything, diagnose, TypeAdapter(Diagnosis))
