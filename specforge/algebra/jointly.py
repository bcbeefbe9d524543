"""Obligations about one and the same step, put to one solver that keeps what it has learned."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import z3
from attrs import field

from specforge.algebra.obligation import MOMENT, RLIMIT, Answer, ask_strong
from specforge.algebra.solver import asked
from specforge.algebra.symbolic import as_term, conj, implies, negate
from specforge.algebra.terms import flag
from specforge.records import define

Bool = Any
PATIENCE = 3_000  # milliseconds, a last resort: the work is bounded first
SHARE = 4  # of the work allowed: what the shared solver gets before a fresh one is asked


class Jointly:
    """`facts`: what holds of the step in any case; `hypotheses`: what may be used, by the name of its source.  `linear`: no
    products of unknowns occur."""

    def __init__(self, facts: Sequence[Bool], hypotheses: Mapping[str, Bool], linear: bool):
        self.facts = [each for each in facts if each is not True]
        self.linear, self.asked = linear, 0
        self.begin(hypotheses)

    def begin(self, hypotheses: Mapping[str, Bool]) -> None:
        """A solver that has learned nothing: one that ran into numbers of a million digits goes on with them for ever."""
        self.solver = z3.SimpleSolver()
        if self.linear:
            self.solver.set("arith.solver", 2)  # the older arithmetic is quicker on these
        self.solver.add(*(as_term(each) for each in self.facts))
        self.hypotheses: dict[str, Bool] = {}
        self.use(hypotheses)

    def use(self, hypotheses: Mapping[str, Bool]) -> None:
        """More that may be used."""
        for name, cond in hypotheses.items():
            if cond is not True and name not in self.hypotheses:
                self.hypotheses[name] = cond
                self.solver.add(as_term(implies(flag(f"uses:{name}"), cond)))

    def question(self, when: Bool, goal: Bool, using: Sequence[str]) -> Together:
        """Does the goal follow from the facts and those hypotheses, where `when` holds?"""
        return Together(self, when, goal, [name for name in using if name in self.hypotheses])


@define(eq=False)
class Together:
    """One question to the shared solver; where that gives up on products, to a fresh one.  `false`: what a counterexample
    says of the conditions in `watched`."""

    step: Jointly
    when: Bool
    goal: Bool
    using: Sequence[str]
    watched: Mapping[str, Bool] = field(factory=dict)
    answer: Answer | None = None
    stage: int = 0
    used: frozenset[str] = frozenset()
    seconds: float = 0.0
    false: frozenset[str] = frozenset()

    def ask(self, rlimit: int = RLIMIT) -> Answer:
        start = time.perf_counter()
        try:
            self.answer = self._ask(rlimit)
        finally:
            self.seconds += time.perf_counter() - start
        return self.answer

    def _ask(self, rlimit: int) -> Answer:
        if self.goal is True or self.when is False:
            return "proved"
        began, solver, step = time.perf_counter(), self.step.solver, self.step
        step.asked += 1
        literal = flag(f"ask:{step.asked}")
        solver.add(z3.Implies(literal, as_term(conj((self.when, negate(self.goal))))))
        using = (flag(f"uses:{name}") for name in self.using)
        result = asked(solver, rlimit if step.linear else rlimit // SHARE, PATIENCE, literal, *using)
        if result == "unsat":
            core = {each.decl().name() for each in solver.unsat_core()}
            self.used = frozenset(name for name in self.using if f"uses:{name}" in core)
        elif result == "sat":
            self._watch(solver.model())
        solver.add(z3.Not(literal))
        if time.perf_counter() - began > MOMENT:
            step.begin(step.hypotheses)
        if result == "unknown" and not step.linear:
            return self._afresh(rlimit)
        return {"unsat": "proved", "sat": "open"}.get(result, "gave up")  # type: ignore[return-value]

    def _watch(self, model: z3.ModelRef) -> None:
        wrong = (name for name, cond in self.watched.items() if z3.is_false(model.eval(as_term(cond), model_completion=True)))
        self.false = frozenset(wrong)

    def _afresh(self, rlimit: int) -> Answer:
        """The procedure that is strong where products matter, by itself."""
        sources = {name: [as_term(self.step.hypotheses[name])] for name in self.using}
        facts = [as_term(each) for each in (*self.step.facts, self.when, negate(self.goal))]
        result, _, used = ask_strong(facts, sources, rlimit, PATIENCE)
        if result == "unsat":
            self.used = frozenset(used)
        return {"unsat": "proved", "sat": "open"}.get(result, "gave up")  # type: ignore[return-value]

    def smtlib(self) -> str:
        """The question as a text that any solver reads; "unsat" is the proof."""
        solver = z3.Solver()
        solver.add(*(as_term(each) for each in (*self.step.facts, self.when)))
        solver.add(*(as_term(self.step.hypotheses[name]) for name in sorted(self.used)))
        solver.add(as_term(negate(self.goal)))
        return solver.to_smt2()
