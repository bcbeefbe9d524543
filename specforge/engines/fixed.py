"""Proofs for a fixed number of members and any number of steps: what every step keeps, if it held just before.

All guesses are put to the solver together, one question for each rule of the rulebook; a counterexample says which of them
to drop (Houdini).  Claims that one step does not keep may be kept by a few (k-induction).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from attrs import field

from specforge.algebra.jointly import Jointly, Together
from specforge.algebra.obligation import RLIMIT
from specforge.algebra.solver import renamed, substitute
from specforge.algebra.symbolic import conj, disj, negate
from specforge.core import ir
from specforge.core.evaluate import Evaluator
from specforge.engines import lemmas as guesses
from specforge.engines.cases import Book
from specforge.engines.deadline import Work
from specforge.engines.encoding import Encoding, Grids, Looked, Values, clone, matched, parts
from specforge.evidence import certificate
from specforge.evidence.certificate import Discharged, Lemma, Need, NotProved, ProofOutcome
from specforge.evidence.goal import ClaimGoal, state_assumptions
from specforge.evidence.phrases import Phrases
from specforge.records import define, frozen

Bool = Any
DEPTH = 3  # steps that k-induction looks back at most
ASSUMED = "given: what is assumed"
Invariants = Callable[[Encoding, Sequence[Looked]], Iterable[tuple[str, Bool]]]


def prove_fixed(
    system: ir.System,
    sizes: Mapping[str, int],
    goals: Sequence[ClaimGoal],
    rlimit: int = RLIMIT,
    work: Work | None = None,
    depth: int = DEPTH,
    further: Invariants | None = None,
) -> dict[ClaimGoal, ProofOutcome]:
    """Each goal with `sizes` members, proved or not.  `work`: what may be spent on all of it; `further`: where more guesses
    come from, if all else fails."""
    groups: dict[object, list[ClaimGoal]] = {}
    for goal in goals:
        groups.setdefault((goal.given, _when(goal) if goal.given else ""), []).append(goal)
    outcomes: dict[ClaimGoal, ProofOutcome] = {}
    for group in groups.values():
        outcomes.update(Fixed(system, sizes, group, rlimit, work, depth, further).run())
    return outcomes


def _when(goal: ClaimGoal) -> str:
    """At which moments what is given must hold: claims judged at different ones assume different things."""
    moment = goal.claim.moment
    return f"{type(moment).__name__} {moment.name if isinstance(moment, ir.After) and moment.duty else ''}"


class Stretch:
    """So many steps in a row as formulas, from the state `first` (None: from any)."""

    def __init__(self, encoding: Encoding, count: int, first: Values | None = None):
        self.encoding, self.count = encoding, count
        formal = encoding.formal
        self.states: list[Values] = [formal if first is None else first, encoding.next]
        self.states += [{cell: clone(value, f"@{t}") for cell, value in formal.items()} for t in range(2, count + 1)]
        self.pairs = [[] if values is formal else matched(formal, values) for values in self.states[: count + 1]]
        self.unknowns = [
            *(each for value in encoding.pool.values() for each in parts(value)),
            *(rule.do for rule in encoding.rules),
            *encoding.algebra.fresh,
        ]

    def at(self, cond: Bool, t: int) -> Bool:
        """A condition on the state after t steps."""
        return substitute(cond, self.pairs[t]) if self.pairs[t] else cond

    def on(self, cond: Bool, t: int) -> Bool:
        """A condition on step t: the state before it, what is done, the state after it."""
        if t == 0:
            return self.at(cond, 0)
        own = [(each, renamed(each, f"@{t}")) for each in self.unknowns]
        return substitute(cond, [*self.pairs[t], *own, *matched(self.encoding.next, self.states[t + 1])])

    def facts(self) -> list[Bool]:
        step = conj(self.encoding.step)
        return [*self.encoding.rigid_facts, *(self.on(step, t) for t in range(self.count))]


@frozen(eq=False)
class Guess:
    """`holds`: what is said of a state."""

    lemma: Lemma
    holds: Bool


@define(eq=False)
class Batch:
    """Guesses that are put together.  `depth`: steps before the one that is to keep them, in which they are assumed to hold."""

    name: str
    guesses: dict[str, Guess]
    depth: int = 1
    rules: list[str] = field(factory=list)  # the obligations: at the start, and for each rule
    apart: set[str] = field(factory=set)  # those of them that are put for each guess by itself

    def needs(self, rule: str) -> list[Need]:
        return [Need(name, rule) for name in self.guesses] if rule in self.apart else [Need(self.name, rule)]

    def all_needs(self) -> list[Need]:
        return [need for rule in self.rules for need in self.needs(rule)]


@define(eq=False)
class Fixed:
    """Goals that share what is given, for one number of members."""

    system: ir.System
    sizes: Mapping[str, int]
    goals: Sequence[ClaimGoal]
    rlimit: int = RLIMIT
    work: Work | None = None
    depth: int = DEPTH
    further: Invariants | None = None
    batches: list[Batch] = field(factory=list)
    done: dict[Need, Discharged] = field(factory=dict)
    late: bool = False
    _steps: dict[int, tuple[Stretch, Jointly]] = field(factory=dict)

    @cached_property
    def encoding(self) -> Encoding:
        return Encoding(self.system, self.sizes, Grids(), self.goals, naming=True)

    @cached_property
    def book(self) -> Book:
        return Book.of(self.system)

    @cached_property
    def evaluator(self) -> Evaluator:
        return Evaluator(self.book.system, self.encoding.algebra)

    # ------------------------------------------------------------ the search

    def run(self) -> dict[ClaimGoal, ProofOutcome]:
        started = time.perf_counter()
        outcomes: dict[ClaimGoal, ProofOutcome] = {}
        open_ = dict(zip(self.goals, self.encoding.looked, strict=True))
        for batch in self._all_batches(open_):
            self._add(batch)
            if self._over():
                break
            for goal, looked in list(open_.items()):
                outcome = self._judge(goal, looked, time.perf_counter() - started)
                if outcome is not None:
                    outcomes[goal] = outcome
                    del open_[goal]
            if not open_:
                break
        reason = "the work given ended here" if self.late else "no step up to the depth tried keeps it"
        seconds = time.perf_counter() - started
        return {goal: outcomes.get(goal) or NotProved(reason, seconds=seconds) for goal in self.goals}

    def _over(self) -> bool:
        self.late = self.late or (self.work is not None and self.work.left <= 0)
        return self.late

    def _all_batches(self, open_: Mapping[ClaimGoal, Looked]) -> Iterator[Batch]:
        yield self._batch("claims and bounds", [*self._claims(open_), *self._bounds()])
        yield self._batch("ledgers", [*self._claims(open_), *self._said(guesses.ledger(self.system))])
        given = [("given: assumed", cond) for cond in state_assumptions(self.system, self.goals[0])]
        for at, layer in enumerate(guesses.layers(self.book, list(open_), given)):
            if at > 1:
                yield self._batch(f"guesses {at}", [*self._claims(open_), *self._said(layer)])
        for depth in range(2, self.depth + 1):
            yield self._batch(f"claims over {depth} steps", self._claims(open_), depth)
        if self.further is not None and open_:
            found = self.further(self.encoding, list(open_.values()))
            more = [Guess(Lemma(text, ir.YES, text, "found"), holds) for text, holds in found]
            if more:
                yield self._batch("what a fixed point search found", [*self._claims(open_), *more])

    # ------------------------------------------------------------ guesses

    def _batch(self, name: str, found: Iterable[Guess], depth: int = 1) -> Batch:
        """Without what is known already."""
        known = self._alive()
        own = {each.lemma.name: each for each in found if each.lemma.name not in known and each.holds is not True}
        return Batch(name, own, depth)

    def _claims(self, open_: Mapping[ClaimGoal, Looked]) -> list[Guess]:
        return [
            Guess(Lemma(f"claim {goal.name}", goal.claim.cond, goal.name, "claim"), negate(looked.bad))
            for goal, looked in open_.items()
            if not looked.on_step
        ]

    def _bounds(self) -> list[Guess]:
        encoding, algebra = self.encoding, self.encoding.algebra
        result: list[Guess] = []
        for each in encoding.mutable:
            algebra.state, algebra.conditions, algebra.demands, algebra.guards = encoding.state(), [], [], []
            cells = encoding.cells(each)
            within = conj(
                cond for _, k, index in cells for cond in self.evaluator.within_bounds(each, k, index if each.per else None)
            )
            text = f"{each.short or each.name} within its bounds"
            result.append(Guess(Lemma(f"bounds {each.name}", ir.YES, text, "bounds"), conj((*algebra.conditions, within))))
        return result

    def _said(self, layer: Iterable[Lemma]) -> list[Guess]:
        """Guesses in the rulebook's language, those that speak only of what there is here."""
        there = {cell[0] for cell in self.encoding.state()}
        return [
            Guess(lemma, self._value(lemma.expr))
            for lemma in layer
            if lemma.why != "claim"
            and all(node.field in there for node in ir.walk(lemma.expr) if isinstance(node, ir.Read))
            and not any(isinstance(node, ir.Old) for node in ir.walk(lemma.expr))
        ]

    def _value(self, expr: ir.Expr) -> Bool:
        algebra = self.encoding.algebra
        algebra.state, algebra.conditions, algebra.demands, algebra.guards = self.encoding.state(), [], [], []
        value = self.evaluator.value(expr, {})
        return conj((*algebra.conditions, value))

    def _alive(self) -> dict[str, Guess]:
        return {name: guess for batch in self.batches for name, guess in batch.guesses.items()}

    # ------------------------------------------------------------ obligations

    def _step(self, depth: int) -> tuple[Stretch, Jointly]:
        if depth not in self._steps:
            encoding = self.encoding
            stretch = Stretch(encoding, depth)
            shared = Jointly(stretch.facts(), {ASSUMED: self._assumed(stretch)}, not encoding.products)
            self._steps[depth] = stretch, shared
        return self._steps[depth]

    def _assumed(self, stretch: Stretch) -> Bool:
        """What a run that counts keeps to, in every state and step."""
        looked = self.encoding.looked[0]
        states = [stretch.at(each, t) for each in looked.along for t in range(stretch.count + 1)]
        return conj((*states, *(stretch.on(each, t) for each in looked.along_step for t in range(stretch.count))))

    def _add(self, batch: Batch) -> None:
        """Keeps those of the batch that hold at the start and that every step keeps, given all that remain."""
        if not batch.guesses:
            return
        self.batches.append(batch)
        self._start(batch)
        while not self._over():
            if not any([self._kept(each) for each in self.batches]):
                return

    def _start(self, batch: Batch) -> None:
        """The states that a run begins with."""
        for t in range(batch.depth):
            first = Stretch(self.encoding, t, self.encoding.initial)
            shared = Jointly(first.facts(), {ASSUMED: self._assumed(first)}, not self.encoding.products)
            self._ask(batch, f"the start and {t} steps" if t else "the start", shared, True, lambda g: first.at(g.holds, t))  # noqa: B023

    def _kept(self, batch: Batch) -> bool:
        """Asks again what rests on something dropped.  Yes: something of this batch was dropped."""
        stretch, shared = self._step(batch.depth)
        before = len(batch.guesses)
        for each in self.batches:
            # what one step keeps is known of the last state too; of what takes several steps, only of those before it
            known = batch.depth + (each.depth == 1 and batch.depth > 1)
            shared.use({n: conj(stretch.at(g.holds, t) for t in range(known)) for n, g in each.guesses.items()})
        for rule in self.encoding.rules:
            name = ("the duty " if rule.duty else "") + rule.name
            alive = {ASSUMED, *self._alive()}
            known_ = [self.done.get(need) for need in batch.needs(name)] if name in batch.rules else [None]
            if not all(each is not None and each.uses <= alive for each in known_):
                when = stretch.on(rule.do, batch.depth - 1)
                self._ask(batch, name, shared, when, lambda g: stretch.at(g.holds, batch.depth))
        return len(batch.guesses) < before

    def _ask(self, batch: Batch, rule: str, shared: Jointly, when: Bool, then: Callable[[Guess], Bool]) -> None:
        """One obligation for all guesses of the batch; those that a counterexample, or the solver's giving up, excludes go."""
        if rule not in batch.rules:
            batch.rules.append(rule)
        while batch.guesses and not self._over():
            wanted = {name: then(guess) for name, guess in batch.guesses.items()}
            if rule in batch.apart:
                for name, cond in wanted.items():
                    if self._discharged(Need(name, rule), shared, when, {name: cond}) is not None:
                        del batch.guesses[name]
                return
            question = self._discharged(Need(batch.name, rule), shared, when, wanted)
            if question is None:
                return
            for name in question.false:
                del batch.guesses[name]
            if not question.false:
                batch.apart.add(rule)

    def _discharged(self, need: Need, shared: Jointly, when: Bool, wanted: Mapping[str, Bool]) -> Together | None:
        """None, or the question that is open."""
        question = shared.question(when, conj(wanted.values()), [ASSUMED, *self._alive()])
        question.watched = wanted
        found = certificate.discharge(need, question, self.rlimit)
        if found is None:
            self.done.pop(need, None)
            return question
        self.done[need] = found
        return None

    # ------------------------------------------------------------ what is proved by now

    def _judge(self, goal: ClaimGoal, looked: Looked, seconds: float) -> ProofOutcome | None:
        batch = next((each for each in self.batches if f"claim {goal.name}" in each.guesses), None)
        if batch is not None:
            needs = batch.all_needs()
        elif looked.on_step:
            needs = self._judge_steps(goal, looked)
        elif looked.bad is False:
            needs = []
        else:
            return None
        if needs is None:
            return None
        premises = ("where settling ends",) if self.system.duties and not looked.on_step else ()
        return certificate.prove(
            goal.name, needs, {name: each.all_needs() for each in self.batches for name in each.guesses},
            {name: guess.lemma for name, guess in self._alive().items()}, self.done, premises, seconds, self._words,
        )  # fmt: skip

    def _words(self, expr: ir.Expr) -> str:
        return "" if expr == ir.YES else Phrases(self.book.system).text(expr)

    def _judge_steps(self, goal: ClaimGoal, looked: Looked) -> list[Need] | None:
        """A claim about a step itself: it must hold of every step, whatever was kept so far."""
        _, shared = self._step(1)
        shared.use({name: guess.holds for name, guess in self._alive().items()})
        need = Need(f"claim {goal.name}", "every step")
        question = shared.question(disj(r.do for r in self.encoding.rules), negate(looked.bad), [*self._alive(), ASSUMED])
        found = certificate.discharge(need, question, self.rlimit)
        if found is None:
            return None
        self.done[need] = found
        return [need]
