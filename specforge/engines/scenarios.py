"""Executing scenarios: every order that the text leaves open is tried, and every `check` must hold in each of them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from attrs import evolve

from specforge.algebra.exact import ExactMachine, State
from specforge.core import ir
from specforge.core.machine import Choice, DefectFound, Firing, Machine, Members
from specforge.diagnostics.source import NOWHERE, Span
from specforge.evidence.explain import DEFECTS, Explainer
from specforge.evidence.goal import ClaimGoal, Goal, ReachGoal
from specforge.evidence.phrases import one_line
from specforge.evidence.play import Event, Judge, Outcome, Played
from specforge.evidence.record_text import Checked, Record, RefusedLine, ScenarioOutcome
from specforge.evidence.trace import Change, Step
from specforge.evidence.verdict import Result, Scope, Verdict
from specforge.evidence.words import Words

MOST_EXECUTIONS = 2_000
NOTHING_SOUGHT = ReachGoal(ir.Reach("", ir.NO))  # a goal that no run shows: the scenario is only executed


class Failed(Exception):
    """This execution does not do what the scenario says."""

    def __init__(self, reason: str, span: Span):
        super().__init__(reason)
        self.reason, self.span = reason, span


class Orders:
    """Makes the picks of one execution: what `then` lines pin, then what is being tried, then the first option."""

    def __init__(self, tried: Sequence[int]):
        self.tried = tried
        self.made: list[tuple[int, int]] = []  # the pick and out of how many, where the text leaves it open
        self.pins: list[tuple[ir.Then, Members]] = []
        self.giving: list[Members] = []
        self.in_action: list[Members] = []
        self.settling = False
        self.pinned: dict[int, ir.Then] = {}  # by the number of the firing
        self.firings = 0

    def line(self, pins: list[tuple[ir.Then, Members]]) -> None:
        """The next action begins; `pins` are the `then` lines that follow it."""
        self.pins, self.giving, self.in_action, self.settling = pins, [], [], False
        self.pinned, self.firings = {}, 0

    def __call__(self, choice: Choice) -> int:
        if choice.turn:
            return self._turn(choice)
        picked = next((choice.options.index(each) for each in self.giving if each in choice.options), None)
        if picked is None:
            picked = self._open(choice)
        else:
            self.giving.remove(choice.options[picked])
        if not self.settling:
            self.in_action.append(choice.options[picked])
        return picked

    def _turn(self, choice: Choice) -> int:
        self.settling, self.giving = True, []
        self.firings += 1
        if self.pins and self.pins[0][0].duty == choice.site and self.pins[0][1] in choice.options:
            then, members = self.pins.pop(0)
            self.giving = [(each.index,) for each in then.taking]
            self.pinned[self.firings] = then
            return choice.options.index(members)
        return self._open(choice)

    def _open(self, choice: Choice) -> int:
        if len(choice.options) == 1:
            return 0
        at = len(self.made)
        picked = self.tried[at] if at < len(self.tried) else 0
        self.made.append((picked, len(choice.options)))
        return picked

    def next(self) -> list[int] | None:
        """The picks of the next execution; None when all have been tried."""
        made = list(self.made)
        while made and made[-1][0] + 1 == made[-1][1]:
            made.pop()
        if not made:
            return None
        return [picked for picked, _ in made[:-1]] + [made[-1][0] + 1]


class Execution:
    """One execution of a scenario, judged for `goal`."""

    def __init__(self, system: ir.System, scenario: ir.Scenario, goal: Goal, orders: Orders):
        self.system, self.scenario, self.goal, self.orders = system, scenario, goal, orders
        names = dict(scenario.members)
        self.sizes = {party.name: len(names.get(party.name, ())) for party in system.open_parties()}
        self.machine = ExactMachine(system, self.sizes)
        self.words = Words(system, names)
        self.record = Record(self.sizes, names, {})
        self.steps: list[Step] = []
        self.last: State = {}

    def run(self) -> None:
        """Raises Failed, with the line that went wrong."""
        self._begin()
        judge = Judge(self.machine, self.goal, self._watch)
        groups = list(_by_action(self.scenario.lines))
        breaking = isinstance(self.goal, ClaimGoal)
        for act, thens, checks in groups:
            self.orders.line([(then, self._members(then)) for then in thens])
            if act is None:
                played, span = judge.start(self.orders), self.scenario.span
            else:
                played, span = judge.step(Event(act.action, self._args(act)), self.orders), act.span
            if played.outcome is Outcome.FOUND:
                return
            self._went_as_written(act, played, span)
            for each in self.orders.pins:
                raise Failed(f"`{self._pin(each[0], each[1])}`: it was not its turn, in this order of events", each[0].span)
            if not breaking:
                for check in checks:
                    self._check(check)
        if breaking:
            raise Failed(self._not_broken(), self.scenario.span)

    # -- the start

    def _begin(self) -> None:
        fixed: State = {}
        parameters = [each for each in self.scenario.starts if self.system.fields[each[0].field].kind is ir.Kind.PARAMETER]
        others = [each for each in self.scenario.starts if each not in parameters]
        try:
            for place, expr in (*parameters, *others):
                self._try_start(fixed)
                member = self.machine.evaluate(place.member)
                index = 0 if place.index is None else self.machine.evaluate(place.index)
                fixed[place.field, member, index] = self.machine.evaluate(expr, {"self": member})
            self.machine.begin(fixed)
        except DefectFound as found:
            field = next((each for each in self.system.fields.values() if each.span is found.span), None)
            about = f"`{field.short}` starts" if field is not None else "the scenario starts"
            said = [expr.span for place, expr in self.scenario.starts if field is not None and place.field == field.name]
            raise Failed(f"{about} outside its declared bounds", said[0] if said else self.scenario.span) from None
        self.last = self.machine.save()
        self.record = evolve(self.record, start=self.last, fixed=tuple(fixed))

    def _try_start(self, fixed: State) -> None:
        """The start so far, so that the next value may speak of it; bounds are judged when it is complete."""
        try:
            self.machine.begin(fixed)
        except DefectFound as found:
            if found.defect is not ir.Defect.BOUNDS:
                raise

    # -- lines

    def _args(self, act: ir.Act) -> tuple[Any, ...]:
        try:
            return tuple(self.machine.evaluate(each) for each in act.args)
        except DefectFound as found:
            raise Failed(f"an argument of `{one_line(act.span)}` {DEFECTS[found.defect]}", act.span) from None

    def _members(self, then: ir.Then) -> Members:
        return tuple(self.machine.evaluate(each) for each in then.args)

    def _pin(self, then: ir.Then, members: Members) -> str:
        return one_line(then.span) or f"then {self.words.call(then.duty, members)}"

    def _went_as_written(self, act: ir.Act | None, played: Played, span: Span) -> None:
        line = f"`{one_line(span)}`" if act is not None and span is not NOWHERE else "the start"
        if played.outcome is Outcome.DEFECT and played.defect is not None:
            rule = f"`{one_line(played.span)}` ({_at(played.span)})" if played.span and played.span.text else "a rule"
            raise Failed(f"at {line}: {rule} {DEFECTS[played.defect]}", span)
        if played.outcome is Outcome.DISCARDED:
            raise Failed(f"at {line}: {self._assumption()}", span)
        if act is None:
            return
        if played.outcome is Outcome.REFUSED:
            if not act.refused:
                rule = f" `{one_line(played.span)}` ({_at(played.span)})" if played.span and played.span.text else ""
                raise Failed(f"{line} is refused:{rule or ' one of its `require` lines fails'}", span)
            text = self.words.call(act.action, self._args(act), refused=True)
            self.record = evolve(self.record, refused=(*self.record.refused, RefusedLine(len(self.steps), text, span)))
        elif act.refused:
            raise Failed(f"{line}: it was not refused", span)

    def _check(self, check: ir.Check) -> None:
        explainer = Explainer(self.words, self.machine)
        text = one_line(check.span).removeprefix("check ") or "(…)"
        try:
            holds = bool(self.machine.evaluate(check.cond))
            values = explainer.compared(check.cond, {}) if holds else "; ".join(explainer.failing(check.cond, {}, check.span))
        except DefectFound as found:
            raise Failed(f"`check {text}` {DEFECTS[found.defect]}", check.span) from None
        checked = Checked(len(self.steps), text, holds, values, check.span)
        self.record = evolve(self.record, checks=(*self.record.checks, checked))
        if not holds:
            raise Failed(f"`check {text}` fails: {values}", check.span)

    # -- what happened

    def _watch(self, what: Event | Firing, machine: Machine) -> None:
        now: State = machine.save()
        changes = tuple(Change(cell, self.last[cell], now[cell]) for cell in now if self.last[cell] != now[cell])
        actions = sum(not step.duty for step in self.steps)
        if isinstance(what, Event):
            step = Step(str(actions + 1), what.action, False, what.args, changes, tuple(self.orders.in_action))
        else:
            number = sum(step.number.startswith(f"{actions}.") for step in self.steps) + 1
            step = Step(f"{actions}.{number}", what.duty, True, what.members, changes, what.giving)
            self._takes_from_those_named(changes)
        self.steps.append(step)
        self.last = now

    def _takes_from_those_named(self, changes: tuple[Change, ...]) -> None:
        then = self.orders.pinned.get(self.orders.firings)
        if then is None:
            return
        touched = {(self.system.fields[change.cell[0]].party, change.cell[1]) for change in changes}
        body = self.system.duties[then.duty].body
        in_turn = {node.turn.party for node in ir.walk(body) if isinstance(node, ir.InTurn)}  # a turn may change nothing
        for member in then.taking:
            if (member.party, member.index) not in touched and member.party not in in_turn:
                name = self.words.member(member.party, member.index)
                raise Failed(f"`{one_line(then.span)}`: nothing is taken from {name}", then.span)

    def _assumption(self) -> str:
        """Which of the things assumed fails in the state at hand."""
        explainer = Explainer(self.words, self.machine)
        for each in self.goal.given:
            cond, home = each.cond, NOWHERE
            if each.assumption is not None and self.system.assumptions[each.assumption].action is None:
                cond, home = self.system.assumptions[each.assumption].cond, self.system.assumptions[each.assumption].span
            if cond is not None and not self.machine.evaluate(cond):
                return f"`given {each.text}` does not hold: {explainer.failing(cond, {}, home)[0]}"
        return "what is given does not hold: " + ", ".join(each.text for each in self.goal.given)

    def _not_broken(self) -> str:
        given = f" given {', '.join(each.text for each in self.goal.given)}" if self.goal.given else ""
        return f"it does not break `{self.goal.name}`{given}"

    def finished(self) -> Record:
        return evolve(self.record, steps=tuple(self.steps))


def _at(span: Span | None) -> str:
    return f":{span.line}" if span is not None and span is not NOWHERE else ""


def _by_action(lines: Sequence[ir.Line]) -> Iterator[tuple[ir.Act | None, list[ir.Then], list[ir.Check]]]:
    """The start and each action, with the pins and the checks that follow it."""
    turn = 0
    numbered: list[tuple[int, ir.Line]] = [(0, ir.Then("", (), ()))]
    for line in lines:
        turn += isinstance(line, ir.Act)
        numbered.append((turn, line))
    for _, group in groupby(numbered, key=lambda each: each[0]):
        those = [line for _, line in group]
        act = those[0] if isinstance(those[0], ir.Act) else None
        thens = [each for each in those if isinstance(each, ir.Then) and each.duty]
        yield act, thens, [each for each in those if isinstance(each, ir.Check)]


def run_scenario(system: ir.System, scenario: ir.Scenario, goal: Goal | None = None) -> ScenarioOutcome:
    """Executes `scenario` in every order that it leaves open.  With a claim as `goal`, it must break that claim each time."""
    tried: list[int] | None = []
    count, record = 0, None
    while tried is not None and count < MOST_EXECUTIONS:
        orders = Orders(tried)
        execution = Execution(system, scenario, goal or NOTHING_SOUGHT, orders)
        count += 1
        try:
            execution.run()
        except Failed as failed:
            return ScenarioOutcome(scenario, False, count, False, execution.finished(), failed.reason, failed.span)
        record = record or execution.finished()
        tried = orders.next()
    assert record is not None
    reason = "" if tried is None else f"only the first {MOST_EXECUTIONS:_} of the orders that it leaves open were tried"
    return ScenarioOutcome(scenario, True, count, tried is None, record, reason, scenario.span)


def promised(system: ir.System, scenario: ir.Scenario) -> list[ClaimGoal]:
    """The claims that `scenario` is named to break, each with what is given there."""
    return [
        ClaimGoal(claim, expect.given)
        for claim in system.claims.values()
        for expect in claim.expects
        if expect.verdict == "refuted" and expect.by == scenario.name
    ]


def scenario_outcome(system: ir.System, scenario: ir.Scenario) -> ScenarioOutcome:
    """The scenario executed for its checks, and once more for each claim that it is named to break."""
    first = run_scenario(system, scenario)
    if not first.holds:
        return first
    total, complete, reason = first.executions, first.complete, first.reason
    breaks: list[str] = []
    for goal in promised(system, scenario):
        outcome = run_scenario(system, scenario, goal)
        if not outcome.holds:
            return outcome
        breaks.append(" given ".join(filter(None, (goal.name, ", ".join(each.text for each in goal.given)))))
        total, complete, reason = max(total, outcome.executions), complete and outcome.complete, reason or outcome.reason
    return evolve(first, executions=total, complete=complete, reason=reason, breaks=tuple(breaks))


def scenario_results(system: ir.System) -> list[Result]:
    """One row per scenario of the rulebook."""
    return [scenario_result(system, each) for each in system.scenarios.values()]


def scenario_result(system: ir.System, scenario: ir.Scenario) -> Result:
    """`proved`: it holds in every order; `bounded`: in all that were tried; `refuted`: it fails."""
    began = time.perf_counter()
    outcome = scenario_outcome(system, scenario)
    verdict = Verdict.PROVED if outcome.complete else Verdict.BOUNDED
    if not outcome.holds:
        verdict = Verdict.REFUTED
    reason = outcome.reason
    if not outcome.holds and outcome.span is not NOWHERE:
        reason = f"line {outcome.span.line}: {reason}"
    limits = () if outcome.executions == 1 else (f"{outcome.executions:_} orders tried",)
    return Result(
        kind="scenario",
        rulebook=scenario.span.file.path,
        name=scenario.name,
        verdict=verdict,
        scope=Scope(sum(outcome.record.sizes.values()), sum(isinstance(line, ir.Act) for line in scenario.lines), limits),
        text=scenario.text,
        span=scenario.span,
        met=outcome.holds,
        contradicts=not outcome.holds,
        engine="scenario",
        seconds=time.perf_counter() - began,
        reason=reason,
    )
