"""Making a counterexample small and round, and saying what in it matters: nothing here is guessed.

A run is *followed* with some of its values unknown (algebra/concolic.py); wherever the conditions that come out hold, the same
run shows the same thing.  Every suggestion is replayed before it is kept.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

from attrs import evolve
from quicktions import Fraction

from specforge.algebra.concolic import ConcolicMachine
from specforge.algebra.edges import Interval, range_around
from specforge.algebra.exact import Cell, ExactMachine
from specforge.algebra.solver import Irrational, Session
from specforge.core import ir
from specforge.core.machine import DefectFound
from specforge.evidence.goal import Goal
from specforge.evidence.play import Judge, Outcome
from specforge.evidence.replay import NotReplayed, Script, replay
from specforge.evidence.trace import Plan, Trace
from specforge.records import frozen


@frozen
class Spot:
    """A picked value of a plan: a cell of the start, or an argument of an event."""

    cell: Cell | None = None
    event: int = -1
    arg: int = -1


def spots(system: ir.System, plan: Plan) -> list[Spot]:
    """The numbers that a plan picks."""
    found = [Spot(event=i, arg=j) for i, e in enumerate(plan.events) for j, v in enumerate(e.args) if isinstance(v, Fraction)]
    return [Spot(cell=cell) for cell, value in plan.start.items() if isinstance(value, Fraction)] + found


def value_at(plan: Plan, spot: Spot) -> Any:
    return plan.start[spot.cell] if spot.cell is not None else plan.events[spot.event].args[spot.arg]


def type_at(system: ir.System, plan: Plan, spot: Spot) -> ir.Type:
    if spot.cell is not None:
        return system.fields[spot.cell[0]].type
    return system.actions[plan.events[spot.event].action].params[spot.arg].type


def put(plan: Plan, values: dict[Spot, Any]) -> Plan:
    """The plan with other values."""
    start = dict(plan.start)
    events = list(plan.events)
    for spot, value in values.items():
        if spot.cell is not None:
            start[spot.cell] = value
        else:
            args = list(events[spot.event].args)
            args[spot.arg] = value
            events[spot.event] = evolve(events[spot.event], args=tuple(args))
    return evolve(plan, start=start, events=tuple(events))


def follow(system: ir.System, plan: Plan, goal: Goal, unknown: Sequence[Spot]) -> list[Any] | None:
    """The conditions on the unknowns (named x0, x1, …) under which the run goes the same way and shows the goal; None if it
    does not do so even as it stands."""
    machine = ConcolicMachine(system, plan.sizes)
    given = {spot: machine.concolic.unknown(f"x{i}", value_at(plan, spot)) for i, spot in enumerate(unknown)}
    suggested = put(plan, given)
    firings = plan.firings or (None,) * (len(plan.events) + 1)
    try:
        machine.begin(suggested.start)
    except DefectFound:
        return None
    judge = Judge(machine, goal)
    played = judge.start(Script((), firings[0]))
    for i, event in enumerate(suggested.events):
        if played.outcome is not Outcome.GOES_ON:
            break
        played = judge.step(event, Script(event.giving, firings[i + 1] if i + 1 < len(firings) else None))
    return machine.concolic.conditions if played.outcome is Outcome.FOUND else None


def shows(system: ir.System, plan: Plan, goal: Goal) -> Trace | None:
    try:
        return replay(system, plan, goal)
    except NotReplayed:
        return None


# ------------------------------------------------------------ smaller


def shrink(system: ir.System, trace: Trace, seconds: float = 5.0) -> Trace:
    """A run that shows the same with no step, no member and no value that could be left out or made rounder."""
    deadline = time.monotonic() + seconds
    goal = trace.goal
    while True:
        smaller = _drop_events(system, trace, goal, deadline)
        smaller = _drop_members(system, smaller, goal)
        if smaller is trace or time.monotonic() > deadline:
            break
        trace = smaller
    trace = _plain_flags(system, trace, goal)
    trace = _round(system, trace, goal, deadline)
    return plain_start(system, trace, goal)


def _drop_events(system: ir.System, trace: Trace, goal: Goal, deadline: float) -> Trace:
    """Leave out any two actions at once, then one, as long as the run still shows the goal."""
    for width in (2, 1):
        at = len(trace.plan.events) - width
        while at >= 0 and time.monotonic() < deadline:
            plan = trace.plan
            kept = plan.events[:at] + plan.events[at + width :]
            firings = plan.firings[: at + 1] + plan.firings[at + 1 + width :] if plan.firings else ()
            shorter = shows(system, evolve(plan, events=kept, firings=firings), goal)
            if shorter is not None:
                trace = shorter
                at = min(at, len(trace.plan.events) - width + 1)
            at -= 1
    return trace


def _drop_members(system: ir.System, trace: Trace, goal: Goal) -> Trace:
    for party in system.open_parties():
        for index in reversed(range(len(party.named), trace.plan.sizes[party.name])):
            without = _without(system, trace.plan, party.name, index)
            if without is not None:
                trace = shows(system, without, goal) or trace
    return trace


def _without(system: ir.System, plan: Plan, party: str, index: int) -> Plan | None:
    """The plan without a member that no event names; those after it move up."""
    down = lambda k: k - (k > index)  # noqa: E731
    events = []
    for event in plan.events:
        params = system.actions[event.action].params
        mine = [isinstance(p.type, ir.Of) and p.type.party == party for p in params]
        if any(is_member and arg == index for is_member, arg in zip(mine, event.args, strict=True)):
            return None
        args = tuple(down(a) if is_member else a for is_member, a in zip(mine, event.args, strict=True))
        events.append(evolve(event, args=args, giving=()))
    start = {}
    for (name, member, at), value in plan.start.items():
        if system.fields[name].party != party:
            start[name, member, at] = value
        elif member != index:
            start[name, down(member), at] = value
    return Plan({**plan.sizes, party: plan.sizes[party] - 1}, start, tuple(events))


def _plain_flags(system: ir.System, trace: Trace, goal: Goal) -> Trace:
    """Flags no and list members first, or left as declared, where that does as well."""
    for cell, value in list(trace.plan.start.items()):
        if isinstance(value, Fraction):
            continue
        start = {k: v for k, v in trace.plan.start.items() if k != cell}
        trace = shows(system, evolve(trace.plan, start=start), goal) or trace
    return trace


def plain_start(system: ir.System, trace: Trace, goal: Goal) -> Trace:
    """What starts at its default need not be said: a run that starts in the same state is the same run."""
    machine, said = ExactMachine(system, trace.plan.sizes), trace.plan.start
    for cell in trace.plan.start:
        fewer = {k: v for k, v in said.items() if k != cell}
        with suppress(DefectFound):
            machine.begin(fewer)
            said = fewer if machine.save() == trace.start else said
    return trace if said is trace.plan.start else shows(system, evolve(trace.plan, start=said), goal) or trace


# ------------------------------------------------------------ rounder


def _round(system: ir.System, trace: Trace, goal: Goal, deadline: float) -> Trace:
    """First all amounts and prices together (linear once sizes and ratios stand), then each value by itself."""
    every = spots(system, trace.plan)
    sizes = [each for each in every if _is_size(system, trace.plan, each)]
    ratios = [each for each in every if not _dims(system, trace.plan, each)]
    amounts = [each for each in every if each not in sizes and each not in ratios]
    trace = together = _round_together(system, trace, goal, ratios + amounts, deadline)
    for spot in sizes + ratios + amounts:
        if time.monotonic() < deadline and spot in spots(system, trace.plan):  # a shorter run may have come out
            trace = _round_one(system, trace, goal, spot)
    if trace is together:
        return trace
    kept = spots(system, trace.plan)
    return _round_together(system, trace, goal, [each for each in ratios + amounts if each in kept], deadline)


def _dims(system: ir.System, plan: Plan, spot: Spot) -> tuple[tuple[str, int], ...]:
    type = type_at(system, plan, spot)
    assert isinstance(type, ir.Number)
    return type.dims


def _is_size(system: ir.System, plan: Plan, spot: Spot) -> bool:
    """Contracts: what prices are multiplied with."""
    type = type_at(system, plan, spot)
    return any(f.kind is ir.Kind.NET and f.type == type for f in system.fields.values()) and not any(
        f.kind is ir.Kind.BALANCE and f.type == type for f in system.fields.values()
    )


def _round_one(system: ir.System, trace: Trace, goal: Goal, spot: Spot) -> Trace:
    plan = trace.plan
    now = value_at(plan, spot)
    for nicer in candidates(system, plan, spot):
        if nicer == now:
            break
        found = shows(system, put(plan, {spot: nicer}), goal)
        if found is not None:
            return found
    return trace


def _round_together(system: ir.System, trace: Trace, goal: Goal, among: list[Spot], deadline: float) -> Trace:
    conditions = follow(system, trace.plan, goal, among) if among else None
    if conditions is None:
        return trace
    session = Session()
    session.add(conditions)
    fixed: dict[Spot, Fraction] = {}
    for i, spot in enumerate(among):
        now = value_at(trace.plan, spot)
        for nicer in [*candidates(system, trace.plan, spot), now]:
            if time.monotonic() > deadline:
                return trace
            equation = session.equation(f"x{i}", nicer)
            if session.ask([equation], rlimit=ROUNDING) == "sat":
                session.add([equation])
                fixed[spot] = nicer
                break
        else:
            try:
                session.ask(rlimit=2 * ROUNDING)
                fixed[spot] = session.model().number(f"x{i}")
            except (Irrational, ValueError):
                return trace
    return shows(system, put(trace.plan, fixed), goal) or trace


ROUNDING = 500_000  # of the solver's work on one value
ROUND = (0, 1, 2, 5, 10, 20, 50, 100, 3, 4, 6, 8, 15, 25, 30, 40, 60, 75, 80, 90, 110, 120, 150, 200, 500, 1000, 7, 9, 12, 70)
NICE = tuple(Fraction(x) for x in ROUND)
FINE = tuple(Fraction(x) / 10 for x in (5, 1, 2, 15, 25, 8, 9, 11, 12)) + tuple(Fraction(x) / 100 for x in (1, 5, 25, 75))
PERCENT = tuple(Fraction(x) / 200 for x in (0, 200, 100, 20, 40, 10, 2, 50, 4, 80, 160, 180, 30, 60, 120, 150, 1))


def candidates(system: ir.System, plan: Plan, spot: Spot) -> Iterable[Fraction]:
    """Values to prefer, the plainest first: what an execution would take, the text's own numbers, round ones."""
    type = type_at(system, plan, spot)
    assert isinstance(type, ir.Number)
    own = [value for value, unit in system.literals if unit == type]
    first: list[Fraction] = []
    if spot.cell is not None:
        each = system.fields[spot.cell[0]]
        if each.kind is ir.Kind.PARAMETER and isinstance(each.start, ir.Lit) and isinstance(each.start.value, Fraction):
            first = [each.start.value]
    ratio = not type.dims and type.style != "number"
    negative = [-x for x in NICE if x] if _may_be_negative(system, plan, spot) else []
    ordered = [*first, *(PERCENT if ratio else NICE[:8]), *own, *NICE, *FINE, *negative]
    return dict.fromkeys(ordered)


def _may_be_negative(system: ir.System, plan: Plan, spot: Spot) -> bool:
    return value_at(plan, spot) < 0


# ------------------------------------------------------------ what matters


def ranges(system: ir.System, trace: Trace, deadline: float) -> list[tuple[Spot, Interval]]:
    """For every picked value the interval in which it may lie, everything else as it is."""
    found: list[tuple[Spot, Interval]] = []
    for spot in spots(system, trace.plan):
        if time.monotonic() > deadline:
            break
        conditions = follow(system, trace.plan, trace.goal, [spot])
        if conditions is not None:
            found.append((spot, range_around(conditions, "x0", value_at(trace.plan, spot))))
    return found
