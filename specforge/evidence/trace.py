"""A run that was replayed exactly, with everything a reader needs to follow it.

Only `replay` (evidence/replay.py) makes a Trace; every engine hands it a Plan, which is nothing but a suggestion.
"""

from __future__ import annotations

from typing import Any

from attrs import evolve, field

from specforge.algebra.exact import Cell, State
from specforge.core import ir
from specforge.core.machine import Firing
from specforge.diagnostics.source import Span
from specforge.evidence.goal import Goal
from specforge.evidence.play import Event
from specforge.records import frozen


@frozen
class Plan:
    """A suggested run.  `sizes`: members of each open party.  `start`: the cells that the suggestion fixes (the rest start
    at their declared start or nearest legal value).  `firings`: per event the duties that acted, whose turn it was and
    who gave; None where any order will do.  The first entry of `firings` belongs to the start."""

    sizes: dict[str, int]
    start: State
    events: tuple[Event, ...]
    firings: tuple[tuple[Firing, ...] | None, ...] = ()


@frozen
class Change:
    cell: Cell
    before: Any
    after: Any


@frozen
class Step:
    """One line of a trace.  `number` is "4" for the world's actions, "4.1" for the duties that followed; `name` the action or
    duty; `args` exact values; `picks` the members picked where rules leave it open; `note` what is proved about the
    picked values ("any price below 90 USD per XBT does")."""

    number: str
    name: str
    duty: bool
    args: tuple[Any, ...]
    changes: tuple[Change, ...]
    picks: tuple[tuple[int, ...], ...] = ()
    note: str = ""


@frozen
class Trace:
    """`names`: what members are called, per open party, by position.  `start`: the whole first state.  `why`: the claim with
    its values, in sentences.  `free`: what is proved to be irrelevant, in sentences.  `final`: the state at the end."""

    goal: Goal
    plan: Plan
    names: dict[str, tuple[str, ...]]
    start: State
    steps: tuple[Step, ...]
    final: State
    defect: ir.Defect | None = None
    why: tuple[str, ...] = ()
    free: tuple[str, ...] = ()
    where: Span | None = field(default=None, eq=False)  # the sentence that met the defect
    fixed: tuple[Cell, ...] = field(default=())  # the cells of the start worth showing (not what the text fixes anyway)

    @property
    def actions(self) -> int:
        return len(self.plan.events)

    @property
    def members(self) -> int:
        return sum(self.plan.sizes.values())

    def with_notes(self, notes: dict[int, str], free: tuple[str, ...]) -> Trace:
        """The same trace, with `notes` (by position in `steps`) and what is free added."""
        steps = tuple(evolve(step, note=notes.get(i, step.note)) for i, step in enumerate(self.steps))
        return evolve(self, steps=steps, free=free)
