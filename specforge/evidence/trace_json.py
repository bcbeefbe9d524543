"""A trace for machines, and back: every number an exact string with its unit, and enough to replay it from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from quicktions import Fraction

from specforge.algebra.exact import ExactMachine, State
from specforge.core import ir
from specforge.core.machine import DefectFound, Firing, Members
from specforge.evidence.explain import why
from specforge.evidence.goal import ClaimGoal, DefectGoal, Goal, ReachGoal, RuleGoal
from specforge.evidence.play import Event
from specforge.evidence.report_text import clause, place_of
from specforge.evidence.trace import Plan, Step, Trace
from specforge.evidence.words import Names, Words, exact

SCHEMA = "specforge/trace/1"
Json = dict[str, Any]


class NotATrace(Exception):
    """The document is no trace of this rulebook; says what does not fit."""


# ---------------------------------------------------------------- out


def trace_json(system: ir.System, trace: Trace, rulebook: str) -> Json:
    words = Words(system, trace.names)
    broken = broken_after(system, trace)
    return {
        "schema": SCHEMA,
        "rulebook": rulebook,
        "goal": goal_json(trace.goal),
        "members": {party: list(names) for party, names in trace.names.items()},
        "start": [
            {"place": words.place(cell), **value_json(words, system.fields[cell[0]].type, value)}
            for cell, value in trace.start.items()
            if system.fields[cell[0]].kind is not ir.Kind.HOUSE
        ],
        "steps": [step_json(system, words, step, names) for step, names in zip(trace.steps, broken, strict=True)],
        "defect": trace.defect.value if trace.defect is not None else None,
        "why": list(why(system, trace)),
        "free": list(trace.free),
    }


def goal_json(goal: Goal) -> Json:
    kind = {ClaimGoal: "claim", ReachGoal: "reach", DefectGoal: "free", RuleGoal: "free"}[type(goal)]
    return {"kind": kind, "name": goal.name, "given": [each.text for each in goal.given]}


def value_json(words: Words, type: ir.Type, value: Any, key: str = "value") -> Json:
    if isinstance(type, ir.Number):
        return {key: exact(value), "unit": type.text()}
    if isinstance(type, ir.Flag):
        return {key: bool(value)}
    return {key: words.member(type.party, value)}


def step_json(system: ir.System, words: Words, step: Step, broken: list[str]) -> Json:
    params = words.arguments(step.name)
    return {
        "number": step.number,
        "event": words.call(step.name, step.args),
        "kind": "duty" if step.duty else "action",
        "name": step.name,
        "args": [
            {"name": param.name, **value_json(words, param.type, arg)} for param, arg in zip(params, step.args, strict=True)
        ],
        "clause": place_of(clause(system, step)),
        "picks": [_pick(system, words, step, each) for each in step.picks],
        "changed": [
            {
                "place": words.place(change.cell),
                **value_json(words, system.fields[change.cell[0]].type, change.before, "before"),
                **value_json(words, system.fields[change.cell[0]].type, change.after, "after"),
            }
            for change in step.changes
        ],
        "claims": broken,
        "note": step.note,
    }


def giving_party(system: ir.System, name: str, duty: bool) -> str | None:
    """The party whose members give in the rule's tiers, if there is but one."""
    body = (system.duties if duty else system.actions)[name].body
    parties = {each.party for each in ir.walk(body) if isinstance(each, ir.Tier) and each.party is not None}
    return parties.pop() if len(parties) == 1 else None


def _pick(system: ir.System, words: Words, step: Step, pick: Members) -> str | int:
    party = giving_party(system, step.name, step.duty)
    return words.member(party, pick[0]) if party is not None else pick[0]


def broken_after(system: ir.System, trace: Trace) -> list[list[str]]:
    """After each step, the claims about states that do not hold there; the goal itself after the last one."""
    machine = ExactMachine(system, trace.plan.sizes)
    state: State = dict(trace.start)
    result: list[list[str]] = []
    for at, step in enumerate(trace.steps):
        state.update((change.cell, change.after) for change in step.changes)
        machine.restore(state)
        last = at + 1 == len(trace.steps)
        result.append(list(_broken(machine, at_rest=last or not trace.steps[at + 1].duty)))
        if last and isinstance(trace.goal, ClaimGoal) and trace.goal.name not in result[-1]:
            result[-1].append(trace.goal.name)
    return result


def _broken(machine: ExactMachine, at_rest: bool) -> Iterator[str]:
    for claim in machine.system.claims.values():
        if isinstance(claim.moment, ir.EveryStep) or (at_rest and isinstance(claim.moment, ir.AtRest)):
            try:
                if not machine.evaluate(claim.cond):
                    yield claim.name
            except DefectFound:
                continue


# ---------------------------------------------------------------- and back


def read_trace(system: ir.System, document: Any) -> tuple[Plan, Goal, Names]:
    """The suggestion in a trace document, to be replayed.  Raises NotATrace."""
    try:
        return _Reader(system, document).read()
    except NotATrace:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as problem:
        raise NotATrace(f"it is not a trace as `specforge schema trace` describes it ({problem})") from None


class _Reader:
    def __init__(self, system: ir.System, document: Any):
        if not isinstance(document, dict) or document.get("schema") != SCHEMA:
            raise NotATrace(f'it does not say `"schema": "{SCHEMA}"`')
        self.system, self.document = system, document
        self.names: Names = {party: tuple(names) for party, names in document["members"].items()}
        unknown = set(self.names) ^ {party.name for party in system.open_parties()}
        if unknown:
            raise NotATrace(f"this rulebook and the trace do not have the same parties: {', '.join(sorted(unknown))}")
        self.words = Words(system, self.names)
        self.sizes = {party: len(names) for party, names in self.names.items()}
        self.members = dict(self._members())

    def _members(self) -> Iterator[tuple[str, tuple[str, int]]]:
        for party in self.system.parties.values():
            for index in range(len(party.members) if party.members is not None else self.sizes[party.name]):
                yield self.words.member(party.name, index), (party.name, index)

    def read(self) -> tuple[Plan, Goal, Names]:
        events: list[Event] = []
        firings: list[list[Firing]] = [[]]
        for step in self.document["steps"]:
            picks = tuple((self._index(each),) for each in step["picks"])
            args = self._args(step)
            if step["kind"] == "duty":
                firings[-1].append(Firing(step["name"], args, picks))
            else:
                events.append(Event(step["name"], args, picks))
                firings.append([])
        plan = Plan(self.sizes, self._start(), tuple(events), tuple(tuple(each) for each in firings))
        return plan, self._goal(self.document["goal"]), self.names

    def _start(self) -> State:
        machine = ExactMachine(self.system, self.sizes)
        cells = {self.words.place(cell): cell for field in self.system.fields.values() for cell in machine.cells(field)}
        start: State = {}
        for each in self.document["start"]:
            cell = cells.get(each["place"])
            if cell is None:
                raise NotATrace(f"this rulebook has no `{each['place']}`")
            start[cell] = self._value(self.system.fields[cell[0]].type, each["value"])
        return start

    def _args(self, step: Json) -> tuple[Any, ...]:
        rules = self.system.duties if step["kind"] == "duty" else self.system.actions
        if step["name"] not in rules:
            raise NotATrace(f"this rulebook has no {step['kind']} `{step['name']}`")
        params, args = rules[step["name"]].params, step["args"]
        if [param.name for param in params] != [arg["name"] for arg in args]:
            raise NotATrace(f"`{step['name']}` takes ({', '.join(param.name for param in params)})")
        return tuple(self._value(param.type, arg["value"]) for param, arg in zip(params, args, strict=True))

    def _value(self, type: ir.Type, value: Any) -> Any:
        if isinstance(type, ir.Number):
            if not isinstance(value, str):
                raise NotATrace(f"{value} should be a string, so that it stays exact")
            return Fraction(value)
        if isinstance(type, ir.Flag):
            return bool(value)
        return self._index(value)

    def _index(self, name: str | int) -> int:
        if isinstance(name, int):
            return name
        if name not in self.members:
            raise NotATrace(f"nobody is called `{name}`")
        return self.members[name][1]

    def _goal(self, goal: Json) -> Goal:
        name, kind = goal["name"], goal["kind"]
        if kind == "free" and name in {each.value for each in ir.Defect}:
            return DefectGoal(ir.Defect(name))
        if kind == "free" and (name in self.system.actions or name in self.system.duties):
            return RuleGoal(name)
        if kind == "reach" and name in self.system.reaches:
            return ReachGoal(self.system.reaches[name])
        if kind == "claim" and name in self.system.claims:
            claim = self.system.claims[name]
            return ClaimGoal(claim, self._given(claim, goal["given"]))
        raise NotATrace(f"this rulebook has no {kind} `{name}`")

    def _given(self, claim: ir.Claim, texts: Sequence[str]) -> tuple[ir.Given, ...]:
        known = {each.text: each for expect in claim.expects for each in expect.given}
        known |= {name: ir.Given(name, name) for name in self.system.assumptions if name not in known}
        missing = [text for text in texts if text not in known]
        if missing:
            raise NotATrace(f"`{claim.name}` has nothing like `given {missing[0]}`")
        return tuple(known[text] for text in texts)
