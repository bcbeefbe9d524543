"""A counterexample as a `scenario` of the rulebook, to be pasted into it: it parses, and it breaks the claim again."""

from __future__ import annotations

from specforge.algebra.exact import Cell, ExactMachine
from specforge.core import ir
from specforge.core.machine import Choice, Firing
from specforge.diagnostics.source import Span
from specforge.evidence.goal import ClaimGoal, DefectGoal, ReachGoal, RuleGoal
from specforge.evidence.phrases import one_line
from specforge.evidence.play import Judge
from specforge.evidence.replay import Script
from specforge.evidence.start import differs_from_text
from specforge.evidence.trace import Trace
from specforge.evidence.words import Words

INDENT = "    "


def scenario_text(system: ir.System, trace: Trace, name: str | None = None) -> str:
    """The whole scenario, with a line end after its last line."""
    words = Words(system, trace.names)
    lines = [*_starts(system, trace, words)]
    pinned = pins(system, trace)
    lines += [_then(words, firing) for firing in pinned[0]]
    for at, event in enumerate(trace.plan.events, start=1):
        args = [words.source(param.type, arg) for param, arg in zip(words.arguments(event.action), event.args, strict=True)]
        if event.giving:
            lines.append("# who gives first in this action is left open: every order is tried")
        lines.append(f"{event.action}({', '.join(args)})")
        lines += [_then(words, firing) for firing in (pinned[at] if at < len(pinned) else ())]
    lines += _check(trace)
    title = f"scenario {name or scenario_name(system, trace)}{_text(trace)}:"
    return "\n".join([title, *[INDENT + line for line in lines or ["# nothing happens: the start is enough"]]]) + "\n"


def scenario_name(system: ir.System, trace: Trace) -> str:
    """A name that nothing else in the rulebook has."""
    goal = trace.goal
    verb = {ClaimGoal: "breaks", ReachGoal: "reaches", DefectGoal: "shows", RuleGoal: "shows"}[type(goal)]
    base = f"{verb}_{goal.name.rpartition('.')[2]}"
    taken = {*system.scenarios, *system.claims, *system.reaches, *system.actions, *system.lets, *system.fields}
    return next(each for each in (base, *(f"{base}_{i}" for i in range(2, 1000))) if each not in taken)


def _text(trace: Trace) -> str:
    given = f" given {', '.join(each.text for each in trace.goal.given)}" if trace.goal.given else ""
    said = f"{len(trace.plan.events)} action{'' if len(trace.plan.events) == 1 else 's'}, found by specforge{given}"
    return ' "' + said.replace('"', "'") + '"'


def _starts(system: ir.System, trace: Trace, words: Words) -> list[str]:
    """The `with` line for parameters and one-member parties, and a line for each member."""
    cells = differs_from_text(system, trace.plan.sizes, trace.start)
    bindings: list[str] = []
    of_members: dict[tuple[str, int], list[str]] = {}
    remarks: list[str] = []
    for cell in cells:
        field = system.fields[cell[0]]
        value = words.source(field.type, trace.start[cell])
        if field.per is not None:
            remarks.append(f"# {words.place(cell)} starts at {value}: a scenario has no words for this")
        elif field.party != ir.RULES and system.parties[field.party].members is None:
            of_members.setdefault((field.party, cell[1]), []).append(f"{field.short} = {value}")
        else:
            bindings.append(f"{_target(words, cell)} = {value}")
    lines = [f"with {', '.join(bindings)}"] if bindings else []
    for party in system.open_parties():
        for index in range(trace.plan.sizes.get(party.name, 0)):
            starts = of_members.get((party.name, index), [])
            if starts or index >= len(party.named):
                said = f" with {', '.join(starts)}" if starts else ""
                lines.append(f"member {words.member(party.name, index)}: {party.name}{said}")
    return [*remarks, *lines]


def _target(words: Words, cell: Cell) -> str:
    return words.place(cell)


def _then(words: Words, firing: Firing) -> str:
    rule = words.system.duties[firing.duty]
    parties = {each.party for each in ir.walk(rule.body) if isinstance(each, ir.Tier) and each.party is not None}
    givers = words.picks(firing.giving, parties.pop() if len(parties) == 1 else None)
    return f"then {words.call(firing.duty, firing.members)}" + (f" taking {', '.join(givers)}" if givers else "")


class _Listener(Script):
    """Replays, and notes at which firings there was anything to pick."""

    open: list[bool]

    def __init__(self, giving: tuple[tuple[int, ...], ...], firings: tuple[Firing, ...] | None):
        super().__init__(giving, firings)
        self.open = []

    def __call__(self, choice: Choice) -> int:
        if choice.turn:
            self.open.append(len(choice.options) > 1)
        elif self.open:
            self.open[-1] = True
        return super().__call__(choice)


def pins(system: ir.System, trace: Trace) -> list[tuple[Firing, ...]]:
    """For the start and each action: its firings up to the last at which somebody had to be picked."""
    machine = ExactMachine(system, trace.plan.sizes)
    machine.begin(trace.plan.start)
    judge = Judge(machine, trace.goal)
    recorded = trace.plan.firings or ((),) * (len(trace.plan.events) + 1)
    result: list[tuple[Firing, ...]] = []
    for at, event in enumerate((None, *trace.plan.events)):
        firings = (recorded[at] if at < len(recorded) else ()) or ()
        listener = _Listener(event.giving if event is not None else (), firings)
        if event is None:
            judge.start(listener)
        else:
            judge.step(event, listener)
        last = max((i + 1 for i, was_open in enumerate(listener.open) if was_open), default=0)
        result.append(firings[:last])
    return result


def _check(trace: Trace) -> list[str]:
    """`check not (…)`, where the claim is about states at rest and stands in the text in one piece."""
    match trace.goal:
        case ClaimGoal(claim) if _at_rest(claim) and _within(claim.cond.span, claim.span):
            return [f"check not ({one_line(claim.cond.span)})"]
        case ReachGoal(reach) if _within(reach.cond.span, reach.span):
            return [f"check {one_line(reach.cond.span)}"]
        case _:
            return []


def _at_rest(claim: ir.Claim) -> bool:
    """The claim can be judged as a line of its own, where the last settling has ended."""
    moment = claim.moment
    if isinstance(moment, ir.After) and (moment.duty or moment.params):
        return False
    return not isinstance(moment, ir.EveryStep) and not any(isinstance(each, ir.Old) for each in ir.walk(claim.cond))


def _within(inner: Span, outer: Span) -> bool:
    return bool(inner.text) and inner.file is outer.file and outer.start <= inner.start and inner.end <= outer.end
