"""The only maker of a Trace: a suggested run, executed step by step by the exact interpreter, until it shows its goal."""

from __future__ import annotations

from itertools import chain

from specforge.algebra.exact import ExactMachine, State
from specforge.core import ir
from specforge.core.machine import Choice, DefectFound, Firing, Machine, Members
from specforge.evidence.goal import DefectGoal, Goal
from specforge.evidence.play import Event, Judge, Outcome, Played
from specforge.evidence.trace import Change, Plan, Step, Trace


class NotReplayed(Exception):
    """The suggestion does not show the goal; says where it stopped."""


class Script:
    """Picks what a plan recorded for one event: whose turn it is, and who gives; the first option where it says nothing."""

    def __init__(self, giving: tuple[Members, ...], firings: tuple[Firing, ...] | None):
        self.giving = list(giving)
        self.firings = list(firings or ())

    def __call__(self, choice: Choice) -> int:
        if choice.turn:
            return self._turn(choice)
        for wanted in self.giving:
            if wanted in choice.options:
                self.giving.remove(wanted)
                return choice.options.index(wanted)
        return 0

    def _turn(self, choice: Choice) -> int:
        for at, firing in enumerate(self.firings):
            if firing.duty == choice.site and firing.members in choice.options:
                del self.firings[: at + 1]
                self.giving = list(firing.giving)
                return choice.options.index(firing.members)
        self.giving = []
        return 0


def replay(system: ir.System, plan: Plan, goal: Goal, names: dict[str, tuple[str, ...]] | None = None) -> Trace:
    """Executes `plan` exactly and returns the trace up to the moment the goal is shown.

    Raises NotReplayed if an event is refused, an assumption fails, another defect comes first, or the goal is not shown."""
    machine = ExactMachine(system, plan.sizes)
    try:
        machine.begin(plan.start)
    except DefectFound as found:
        raise NotReplayed(f"the start breaks a bound ({found.defect.value})") from None
    start = machine.save()
    steps: list[Step] = []
    states: list[State] = []
    last: State = start

    def watch(what: Event | Firing, at: Machine) -> None:
        nonlocal last
        now: State = at.save()
        number, changes = _number(steps, what), _changes(last, now)
        last = now
        states.append(now)
        if isinstance(what, Event):
            steps.append(Step(number, what.action, False, what.args, changes, what.giving))
        else:
            steps.append(Step(number, what.duty, True, what.members, changes, what.giving))

    judge = Judge(machine, goal, watch)
    firings = plan.firings or (None,) * (len(plan.events) + 1)
    played = judge.start(Script((), firings[0]))
    done: list[tuple[Firing, ...]] = [played.firings]
    count = 0
    while played.outcome is Outcome.GOES_ON and count < len(plan.events):
        event = plan.events[count]
        count += 1
        played = judge.step(event, Script(event.giving, firings[count] if count < len(firings) else None))
        done.append(played.firings)
    if played.outcome is not Outcome.FOUND:
        raise NotReplayed(f"after {count} of {len(plan.events)} actions: {_reason(played, goal)}")
    if isinstance(goal, DefectGoal):
        _add_unfinished(steps, plan.events[count - 1] if count else None, played)
    if played.defect is ir.Defect.RESTS:
        del steps[_once_round(steps, states) :]
    shown = Plan(plan.sizes, plan.start, plan.events[:count], tuple(done))
    called = names or member_names(system, plan.sizes)
    where = played.span if played.defect is not None else None
    return Trace(goal, shown, called, start, tuple(steps), machine.save(), played.defect, where=where)


def _number(steps: list[Step], what: Event | Firing) -> str:
    actions = sum(not step.duty for step in steps)
    if isinstance(what, Event):
        return str(actions + 1)
    return f"{actions}.{sum(step.number.startswith(f'{actions}.') for step in steps) + 1}"


def _add_unfinished(steps: list[Step], event: Event | None, played: Played) -> None:
    """The step in which a defect arose has no state after it, but belongs to the trace."""
    actions = sum(not step.duty for step in steps)
    if event is None:
        return
    if actions == 0 or (steps[-1].duty is False and not played.firings and steps[-1].name != event.action):
        steps.append(Step(str(actions + 1), event.action, False, event.args, ()))


def _once_round(steps: list[Step], states: list[State]) -> int:
    """A settling that never ends is shown until a state comes back for the first time."""
    first = max((at for at, step in enumerate(steps) if not step.duty), default=0)
    for at in range(first + 1, len(states)):
        if states[at] in states[first:at]:
            return at + 1
    return len(steps)


def _changes(before: State, after: State) -> tuple[Change, ...]:
    changed = (cell for cell, value in after.items() if before[cell] is not value and before[cell] != value)
    return tuple(Change(cell, before[cell], after[cell]) for cell in changed)


def _reason(played: Played, goal: Goal) -> str:
    if played.outcome is Outcome.GOES_ON:
        return f"`{goal.name}` is not shown"
    if played.outcome is Outcome.DEFECT and played.defect is not None:
        return f"the defect `{played.defect.value}` comes first"
    return played.outcome.value


NAMES = ("ann", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy", "kim", "leo", "mia", "noah")


def member_names(system: ir.System, sizes: dict[str, int]) -> dict[str, tuple[str, ...]]:
    """What members are called: the rulebook's own names first, then first names nobody else uses."""
    used = {each.name for party in system.parties.values() for each in party.named}
    used |= set(system.fields) | set(system.actions) | set(system.parties) | set(system.lets)
    for party in system.parties.values():
        used |= set(party.members or ())
    fresh = chain((name for name in NAMES if name not in used), (f"member{i}" for i in range(1, 1000)))
    result: dict[str, tuple[str, ...]] = {}
    for party in system.open_parties():
        named = [each.name for each in party.named]
        result[party.name] = tuple(named + [next(fresh) for _ in range(sizes.get(party.name, 0) - len(named))])
    return result

