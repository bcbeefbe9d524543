"""Why a claim was not proved, as something to look at: a small state that all lemmas allow, and a step that breaks it.

The state may not be reachable.  If one of the guesses is false in it and true in all runs tried, that is the lemma to prove.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from attrs import evolve
from quicktions import Fraction

from specforge.algebra.classes import NotAdditive, Split
from specforge.algebra.exact import Cell, ExactMachine, State
from specforge.algebra.obligation import RLIMIT, Values
from specforge.algebra.polynomial import Poly, is_zero
from specforge.core import ir
from specforge.core.machine import DefectFound
from specforge.diagnostics.source import NOWHERE, Span
from specforge.engines import lemmas as guesses
from specforge.engines.cases import Case
from specforge.engines.shapes import Op, busy, every, member_fields
from specforge.engines.simulate import Walk, sizes_for
from specforge.engines.transitions import Scene, begin
from specforge.evidence.certificate import Lemma
from specforge.evidence.goal import ClaimGoal, action_assumptions
from specforge.evidence.lead import Lead
from specforge.evidence.phrases import Phrases
from specforge.evidence.play import Event, Judge
from specforge.evidence.replay import Script, member_names
from specforge.evidence.words import Words
from specforge.records import frozen

if TYPE_CHECKING:
    from specforge.engines.induction import Prover

MOST = 40  # steps looked at
FURTHER = 2  # members beyond those that the step and the sentence name
RUNS, STEPS, MEMBERS = 30, 12, 3  # of the runs tried
TIDY = (0, 1, 10, 100)


@frozen(eq=False)
class Attempt:
    """A step that may break `show`.  `kept`: that sentence as a lemma, if it is assumed before the step."""

    case: Case
    extra: tuple[tuple[str, int], ...]
    show: ir.Expr
    env: dict[str, str]
    kept: Lemma | None


def lead_of(prover: Prover, goal: ClaimGoal, why: str, where: Span) -> Lead:
    """The first step found, with as few members as can be."""
    for attempt in islice(_attempts(prover, goal), MOST):
        for scene, values in _found(prover, attempt):
            lead = _told(prover, attempt, scene, values)
            if lead is not None:
                return evolve(lead, why=why, where=where)
    return Lead(why, where)


def _attempts(prover: Prover, goal: ClaimGoal) -> Iterator[Attempt]:
    """The claim's own steps, if it is about one; else the steps that do not keep it."""
    try:
        needs = prover.claim_needs(goal)
    except NotAdditive:
        return
    for _, case, extra, env in needs:
        if case.kind in ("action", "duty") and not isinstance(goal.claim.moment, ir.EveryStep):
            yield Attempt(case, extra, goal.claim.cond, env, None)
    candidates = guesses.claims(prover.book, [goal])
    for lemma in sorted(candidates, key=lambda each: not each.name.startswith("rested")):
        for _, case, extra in prover.lemma_needs(lemma):
            if case.kind in ("action", "duty"):
                yield Attempt(case, extra, lemma.expr, {}, lemma)


def _found(prover: Prover, attempt: Attempt) -> Iterator[tuple[Scene, Values]]:
    """The step with nobody but the members named, and a few more."""
    counts = dict(attempt.extra)
    for more in range(FURTHER + 1):
        extra = {party.name: counts.get(party.name, 0) + more for party in prover.system.open_parties()}
        actions = action_assumptions(prover.system, prover.goals[0]) if prover.goals else {}
        try:
            scene = begin(prover.book, attempt.case, extra, {}, actions)
            shown = scene.show(attempt.show, {mine: scene.env[theirs] for mine, theirs in attempt.env.items()})
        except (NotAdditive, Split):
            return
        if scene.impossible or shown is True:
            continue
        kept = {} if attempt.kept is None else {attempt.kept.name: attempt.kept}
        question = prover.question(scene, shown, attempt.kept is None, {**prover.lemmas, **kept})
        values = question.tidy_counterexample(RLIMIT // 4, [is_zero(each - Poly.of(to)) for each, to in _tidier(scene)])
        if values is not None:
            yield scene, values


def _tidier(scene: Scene) -> Iterator[tuple[Poly, Fraction]]:
    """Rounder values, one unknown after the other: the arguments, then the state."""
    unknowns = [each for each in scene.env.values() if isinstance(each, Poly)]
    unknowns += [each for cell, each in scene.before.items() if isinstance(each, Poly) and ":" not in cell[0]]
    for each in unknowns:
        if each.constant is None:
            for to in TIDY:
                yield each, Fraction(to)


def _told(prover: Prover, attempt: Attempt, scene: Scene, values: Values) -> Lead | None:
    system, case = prover.system, attempt.case
    before = {cell: values.of(value) for cell, value in scene.before.items() if cell[0] != "~"}
    after = {cell: values.of(scene.algebra.state[cell]) for cell in before}
    args = tuple(values.of(each) for each in scene.env.values())
    if any(each is None for each in (*before.values(), *after.values(), *args)):
        return None  # with a root in it, which no rulebook can write
    sizes = {party.name: scene.algebra.named[party.name] for party in system.open_parties()}
    words = Words(system, member_names(system, sizes))
    rule = system.duties[case.rule] if case.kind == "duty" else system.actions[case.rule]
    changed = [cell for cell in before if before[cell] != after[cell] and _worth(system, cell)]
    spoken = (attempt.show, rule.body, rule.when if isinstance(rule, ir.Duty) else ir.YES)
    fields = {node.field for node in ir.walk(spoken) if isinstance(node, ir.Read | ir.Place)}
    values_before = [f"{words.place(cell)} {words.cell(cell, value)}" for cell, value in before.items()
                     if value and cell[0] in fields and _worth(system, cell)]  # fmt: skip
    say = "{} is settling" if case.kind == "duty" else "{} has just settled"
    settling = [say.format(cell[0][3:]) for cell, value in before.items() if value and cell[0].startswith("by:")]
    excluded, runs = excluded_by(prover, before, sizes)
    return Lead(
        "", NOWHERE, (*values_before, *(settling if values_before or case.kind == "duty" else ())),
        words.call(case.rule, args) + (f", then {case.then}" if case.then else ""),
        tuple(words.change(cell, before[cell], after[cell]) for cell in changed),
        Phrases(system).text(attempt.show), excluded, runs, rule.span,
    )  # fmt: skip


def _worth(system: ir.System, cell: Cell) -> bool:
    field = system.fields[cell[0]]
    return ":" not in cell[0] and field.kind is not ir.Kind.HOUSE


# ---------------------------------------------------------------- the lemma that would exclude it


def excluded_by(prover: Prover, before: State, sizes: dict[str, int]) -> tuple[str, int]:
    """The shortest guess that is false in this state, and true in every state of the runs tried; and how many these were."""
    layers = guesses.layers(prover.book, prover.goals, [])
    candidates = {each.name: each for layer in (*layers, signs_of_members(prover)) for each in layer}
    machine = ExactMachine(prover.system, sizes)
    machine.restore(before)
    phrases = Phrases(prover.system)
    left = [each for name, each in candidates.items() if name not in prover.lemmas and _holds(machine, each.expr) is False]
    if not left:
        return "", 0
    runs = 0
    for run in range(RUNS):
        states = _states(prover, run)
        if not states:
            continue
        runs += 1
        trial = ExactMachine(prover.system, sizes_for(prover.system, MEMBERS))
        for state in states:
            trial.restore(state)
            left = [each for each in left if _holds(trial, each.expr) is not False]
            if not left:
                return "", runs
    own = tuple(phrases.text(each.claim.cond) for each in prover.goals)  # that the claim itself excludes it is no help
    texts = [text for text in (phrases.text(each.expr) for each in left) if not text.startswith(own)]
    return min(texts, key=len) if texts and runs else "", runs


def signs_of_members(prover: Prover) -> list[Lemma]:
    """The sign of each field of every member, always or outside settling."""
    result: list[Lemma] = []
    for each in member_fields(prover.book):
        if isinstance(each.type, ir.Number):
            value = ir.Read(each.name, ir.Var("t"))
            for low, high in ((ir.ZERO, value), (value, ir.ZERO)):
                cond = ir.Op(Op.LE, (low, high))
                for body in (cond, ir.Op(Op.OR, (*busy(prover.book), cond))):
                    lemma = every("t", each.party, body)
                    result.append(Lemma(Phrases(prover.system).text(lemma), lemma))
    return result


def _holds(machine: ExactMachine, expr: ir.Expr) -> bool | None:
    try:
        return machine.evaluate(expr)
    except DefectFound:
        return None


def _states(prover: Prover, seed: int) -> list[State]:
    """The states of one random run, after each body, firing and settling, with what the settling remembers."""
    system = prover.system
    plain = _without_memory(system)
    walk = Walk(plain, sizes_for(plain, MEMBERS), [], seed)
    walk.goes_on = True
    if not walk.begin(defaults=False):
        return []
    walk.run(STEPS)
    plan = walk.plan()
    machine = ExactMachine(plain, plan.sizes)
    machine.begin(plan.start)
    memory = _Memory(system, machine)
    goal = prover.goals[0]
    judge = Judge(machine, ClaimGoal(ir.Claim("", ir.AtRest(), ir.YES, ()), goal.given), memory.watch)
    judge.start(Script((), plan.firings[0] if plan.firings else None))
    memory.rest()
    for at, event in enumerate(plan.events, start=1):
        memory.begins()
        played = judge.step(event, Script(event.giving, plan.firings[at] if at < len(plan.firings) else None))
        if played.outcome.name != "GOES_ON":
            break
        memory.rest()
    return memory.states


def _without_memory(system: ir.System) -> ir.System:
    return evolve(system, fields={name: each for name, each in system.fields.items() if ":" not in name})


class _Memory:
    """Keeps, beside an execution, what the prover's states remember of the settling."""

    def __init__(self, system: ir.System, machine: ExactMachine):
        self.system, self.machine = system, machine
        self.states: list[State] = []
        self.kept: State = {}
        self.sizes = ExactMachine(system, machine.sizes)
        for each in system.fields.values():
            if ":" in each.name:
                for cell in self.sizes.cells(each):
                    self.kept[cell] = False if isinstance(each.type, ir.Flag) else self._now(each, cell)

    def _now(self, each: ir.Field, cell: Cell) -> Any:
        return self.machine.algebra.state[each.name.partition(":")[2], cell[1], cell[2]]

    def begins(self) -> None:
        """An action of the world is about to happen."""
        for each in self.system.fields.values():
            kind, _, of = each.name.partition(":")
            if of:
                for cell in self.sizes.cells(each):
                    self.kept[cell] = self._now(each, cell) if kind == "was" else False

    def watch(self, what: Event | Any, at: Any) -> None:
        for action, _ in self.machine.algebra.taken:
            if f"by:{action}" in self.system.fields:
                self.kept[f"by:{action}", 0, 0] = True
        if not isinstance(what, Event) and f"acted:{what.duty}" in self.system.fields:
            self.kept[f"acted:{what.duty}", what.members[0] if what.members else 0, 0] = True
        self.rest()

    def rest(self) -> None:
        self.states.append({**self.machine.algebra.state, **self.kept})
