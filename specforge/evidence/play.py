"""Playing a run on a machine and judging it: was the claim broken while everything assumed held?

Works on any machine (the exact interpreter, the generated Python).  The moments of LANGUAGE section 7 live here, once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any

from attrs import field

from specforge.core import ir
from specforge.core.machine import DefectFound, Firing, Machine, Members, Picker, Refused, first_option, settle
from specforge.diagnostics.source import Span
from specforge.evidence.goal import ClaimGoal, DefectGoal, Goal, ReachGoal, RuleGoal, action_assumptions, state_assumptions
from specforge.records import frozen


class Outcome(Enum):
    GOES_ON = "goes on"
    FOUND = "found"  # the goal: the claim is broken, the state reached, the defect met, the rule seen to act
    DISCARDED = "an assumption failed"
    DEFECT = "a defect"
    REFUSED = "refused"


@frozen
class Event:
    """The world acts.  Arguments are exact values: Fraction, bool, or a member's position.  `giving`: the picks inside the
    action's own collects, in order (who gives next)."""

    action: str
    args: tuple[Any, ...]
    giving: tuple[Members, ...] = ()


@frozen
class Played:
    """One event as it happened: `outcome`, its firings (up to where the run ended), and where a defect or refusal arose."""

    outcome: Outcome
    firings: tuple[Firing, ...] = ()
    defect: ir.Defect | None = None
    span: Span | None = field(default=None, eq=False)


class Stop(Exception):
    def __init__(self, outcome: Outcome):
        self.outcome = outcome


class Judge:
    """Judges one goal along a run.  `watch` (optional) sees every moment at which the state has changed:
    watch(what, machine) with what an Event or a Firing."""

    def __init__(self, machine: Machine, goal: Goal, watch: Callable[[Event | Firing, Machine], None] | None = None):
        self.machine, self.goal, self.watch = machine, goal, watch
        self.states = state_assumptions(machine.system, goal)
        self.actions = action_assumptions(machine.system, goal)
        self.moment = goal.claim.moment if isinstance(goal, ClaimGoal) else None

    def start(self, picker: Picker = first_option) -> Played:
        """The start: duties that listen to nothing may act, then it is judged as a state at rest."""
        return self._run(lambda: [], None, picker)

    def step(self, event: Event, picker: Picker = first_option) -> Played:
        """One action of the world and the settling it starts."""
        return self._run(lambda: self.machine.act(event.action, event.args, picker), event, picker)

    def _run(self, act: Callable[[], list[tuple[str, tuple[Any, ...]]]], event: Event | None, picker: Picker) -> Played:
        machine = self.machine
        self.firings: list[Firing] = []
        before = machine.save() if isinstance(self.moment, ir.After) and not self.moment.duty else None
        machine.on_took = self._on_took if self.actions else None
        try:
            took = act()
            if event is not None:
                self._after_each(event, None)
            settle(machine, {name for name, _ in took}, picker, self._observe)
            self._at_rest(took, before)
        except Refused as refusal:
            return Played(Outcome.REFUSED, (), None, refusal.span)
        except DefectFound as found:
            wanted = isinstance(self.goal, DefectGoal) and self.goal.defect is found.defect
            return Played(Outcome.FOUND if wanted else Outcome.DEFECT, tuple(self.firings), found.defect, found.span)
        except Stop as stop:
            return Played(stop.outcome, tuple(self.firings))
        return Played(Outcome.GOES_ON, tuple(self.firings))

    def _on_took(self, action: str, args: tuple[Any, ...]) -> None:
        for each in self.actions.get(action, ()):
            if not self.machine.evaluate(each.cond, dict(zip(each.params, args, strict=False))):
                raise Stop(Outcome.DISCARDED)

    def _observe(self, duty: ir.Duty, members: Members, before: Any, firing: Firing) -> None:
        self.firings.append(firing)
        self._after_each(firing, before)

    def _after_each(self, what: Event | Firing, before: Any) -> None:
        if self.watch is not None:
            self.watch(what, self.machine)
        if isinstance(self.goal, RuleGoal):
            if self.goal.rule == (what.action if isinstance(what, Event) else what.duty):
                raise Stop(Outcome.FOUND)
        elif isinstance(self.moment, ir.EveryStep):
            self._judge({}, None)
        elif (
            isinstance(self.moment, ir.After)
            and self.moment.duty
            and isinstance(what, Firing)
            and what.duty == self.moment.name
        ):
            self._judge(dict(zip(self.moment.params, what.members, strict=False)), before)

    def _at_rest(self, took: Sequence[tuple[str, tuple[Any, ...]]], before: Any) -> None:
        self._assume()
        if isinstance(self.goal, ReachGoal):
            if self.machine.evaluate(self.goal.reach.cond):
                raise Stop(Outcome.FOUND)
        elif isinstance(self.moment, ir.AtRest | ir.EveryStep):
            self._judge({}, None)
        elif isinstance(self.moment, ir.After) and not self.moment.duty:
            for name, args in took:
                if name == self.moment.name:
                    self._judge(dict(zip(self.moment.params, args, strict=False)), before)

    def _assume(self) -> None:
        for cond in self.states:
            if not self.machine.evaluate(cond):
                raise Stop(Outcome.DISCARDED)

    def _judge(self, env: dict[str, Any], before: Any) -> None:
        assert isinstance(self.goal, ClaimGoal)
        self._assume()
        if not self.machine.evaluate(self.goal.claim.cond, env, before):
            raise Stop(Outcome.FOUND)
