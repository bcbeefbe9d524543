"""A rulebook being executed: what every executable form of it offers, and how duties settle.

The exact interpreter and the generated Python are two machines; the scheduler here is the only one.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from typing import Any, Protocol

from attrs import field

from specforge.core import ir
from specforge.diagnostics.source import NOWHERE, Span
from specforge.records import frozen

Members = tuple[int, ...]
FIRING_LIMIT = 10_000  # of one settling; beyond it the settling is reported as never ending
PATIENCE = 40  # firings; from then on a state that comes back shows that the settling may go on for ever


class DefectFound(Exception):
    """The rulebook did what it must never do.  A finding about the rulebook, caught by whoever runs it."""

    def __init__(self, defect: ir.Defect, span: Span = NOWHERE):
        super().__init__(defect.value)
        self.defect, self.span = defect, span


class Refused(Exception):
    """A `require` of an action failed: nothing has happened."""

    def __init__(self, span: Span = NOWHERE):
        super().__init__("refused")
        self.span = span


@frozen
class Choice:
    """A pick that the rules leave open: whose `turn` it is (`site` a duty; asked even if there is but one option), or who
    gives next in a tier (`site` its name)."""

    site: str
    options: tuple[Members, ...]
    turn: bool = False


Picker = Callable[[Choice], int]
"""Which of the options is picked, by position."""


def first_option(choice: Choice) -> int:
    return 0


@frozen
class Firing:
    """One acting of a duty for one member (or one tuple of members)."""

    duty: str
    members: Members
    giving: tuple[Members, ...] = field(default=())  # the picks inside its collects, in order


class Machine(Protocol):
    """A state and what may happen to it.

    `on_took`, if set, is called as an action starts (a called one included) with its name and arguments."""

    system: ir.System
    sizes: dict[str, int]
    on_took: Callable[[str, tuple[Any, ...]], None] | None

    def save(self) -> Any:
        """The state as it stands, to be given back to `restore`."""
        ...

    def restore(self, state: Any) -> None: ...

    def act(self, action: str, args: Sequence[Any], picker: Picker) -> list[tuple[str, tuple[Any, ...]]]:
        """Performs the action's body; returns the actions that took part, with their arguments.  Raises Refused (and
        leaves the state as it was) or DefectFound."""
        ...

    def due(self, duty: ir.Duty, acted: Container[Members] = ()) -> list[Members]:
        """Everybody for whom the duty's `when` holds but those who have `acted`, with the best rank among them; `after` and
        `once` are the scheduler's."""
        ...

    def fire(self, duty: ir.Duty, members: Members, picker: Picker) -> list[tuple[str, tuple[Any, ...]]]:
        """Lets the duty act; returns the actions it called.  Raises DefectFound."""
        ...

    def evaluate(self, expr: ir.Expr, env: dict[str, Any] | None = None, old: Any = None) -> Any:
        """The value of `expr` now; `old` is a saved state for `old(...)`."""
        ...


def settle(
    machine: Machine,
    took: set[str],
    picker: Picker,
    observe: Callable[[ir.Duty, Members, Any, Firing], None] | None = None,
    limit: int = FIRING_LIMIT,
) -> list[Firing]:
    """Lets the duties act in their written order of priority until none is due (LANGUAGE section 3).

    `took`: the actions that started this settling.  `observe` is called after each firing with the state before it.
    """
    firings: list[Firing] = []
    took = set(took)
    listening = _listening(machine.system, took)
    acted: dict[str, set[Members]] = {}
    seen: set[Any] = set()
    while True:
        for duty in listening:
            candidates = machine.due(duty, acted.get(duty.name, ()) if duty.once else ())
            if candidates:
                break
        else:
            return firings
        if len(firings) >= limit or (len(firings) >= PATIENCE and _seen_before(machine, acted, seen)):
            raise DefectFound(ir.Defect.RESTS, duty.span)
        members = candidates[picker(Choice(duty.name, tuple(candidates), turn=True))]
        acted.setdefault(duty.name, set()).add(members)
        before = machine.save() if observe is not None else None
        giving: list[Members] = []

        def within(choice: Choice, giving: list[Members] = giving) -> int:
            picked = picker(choice)
            giving.append(choice.options[picked])
            return picked

        called = machine.fire(duty, members, within)
        if called:
            took.update(action for action, _ in called)
            listening = _listening(machine.system, took)
        firings.append(Firing(duty.name, members, tuple(giving)))
        if observe is not None:
            observe(duty, members, before, firings[-1])


def _listening(system: ir.System, took: set[str]) -> list[ir.Duty]:
    return [duty for duty in system.duties.values() if not duty.after or took.intersection(duty.after)]


def _seen_before(machine: Machine, acted: dict[str, set[Members]], seen: set[Any]) -> bool:
    """The settling is where it was before, so it may go round for ever."""
    state = machine.save()
    done = frozenset((duty, each) for duty, members in acted.items() for each in members)
    now = (tuple(state.values()) if isinstance(state, dict) else tuple(state), done)
    if now in seen:
        return True
    seen.add(now)
    return False
