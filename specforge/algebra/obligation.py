"""One thing to be proved, as a question to a solver: do these facts exclude that the goal fails?

Facts come in stages; each stage may use those before it.  Leaving facts out can lose a proof but cannot make a false one, so
the cheap ones are tried first, and "no" is believed only from the last stage.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, Literal

import z3
from attrs import define, field, frozen

from specforge.algebra.polynomial import Poly
from specforge.algebra.symbolic import Sel, as_term, negate
from specforge.algebra.terms import assume, mentions

Bool = Any
Answer = Literal["proved", "open", "gave up"]
STAGES = ("sums only", "how shares are split", "who is there at all")
RLIMIT = 4_000_000


@frozen(eq=False)
class Hypothesis:
    """`source`: the lemma (or rest fact, or assumption) it comes from."""

    source: str
    stage: int
    formula: Bool


@define(eq=False)
class Question:
    """`facts[stage]`: what holds in any case; `hypotheses`: what is used from lemmas; `goal`: what must follow."""

    facts: tuple[Sequence[Bool], ...]
    hypotheses: Sequence[Hypothesis]
    goal: Bool
    sentences: tuple[Sequence[Any], ...] = ((), (), ())  # of the rulebook, from which each of the facts comes
    answer: Answer | None = None
    stage: int = 0
    used: frozenset[str] = frozenset()
    seconds: float = 0.0
    model: dict[str, Fraction | bool] = field(factory=dict)
    only_named: bool = False
    seen: dict[int, bool] = field(factory=dict)  # which terms speak of the crowd.  INVARIANT: only of terms that live as long

    def ask(self, rlimit: int = RLIMIT) -> Answer:
        """Sets `answer`, `stage`, `used` (the sources that the proof needs) and, if it is open, `model`."""
        start = time.perf_counter()
        try:
            self.answer = self._ask(rlimit)
        finally:
            self.seconds += time.perf_counter() - start
        return self.answer

    def _ask(self, rlimit: int) -> Answer:
        if self.goal is True:
            return "proved"
        last = max((stage for stage in (0, 1, 2) if self._any(stage)), default=0)
        answer: Answer = "open"
        if self._check(0, rlimit // 8, True)[0] == "unsat":
            return "proved"
        for stage in range(last + 1):
            if stage and not self._any(stage):
                continue
            self.stage = stage
            result, solver = self._check(stage, rlimit)
            if result == "unsat":
                return "proved"
            answer = "gave up" if result == "unknown" else "open"
            if result == "sat" and stage == last:
                self._read(solver.model())
        return answer

    def follows_plainly(self, rlimit: int) -> bool:
        """Is it proved by the quick procedure alone?  For what is nice to know, and worth no more than a moment."""
        if self.goal is True:
            return True
        solver = z3.SimpleSolver()
        solver.set("rlimit", rlimit)
        solver.add(*self.known(2), *(as_term(each.formula) for each in self.hypotheses), as_term(negate(self.goal)))
        try:
            return str(solver.check()) == "unsat"
        except z3.Z3Exception:
            return False

    def _any(self, stage: int) -> bool:
        return bool(self.facts[stage]) or any(each.stage == stage for each in self.hypotheses)

    def _check(self, stage: int, rlimit: int, named: bool = False) -> tuple[str, Any]:
        """`named`: with only what is said of named members and of the venue.  Two procedures in turn: one that is quick where
        products do not matter, one that is strong where they do."""
        self.only_named = named
        seen = self.seen
        facts = [each for each in self.known(stage) if not (named and mentions_crowd(each, seen))]
        facts.append(as_term(negate(self.goal)))
        sources: dict[str, list[Any]] = {}
        for each in self.hypotheses:
            if each.stage <= stage and each.formula is not True:
                term = as_term(each.formula)
                if not (named and mentions_crowd(term, seen)):
                    sources.setdefault(each.source, []).append(term)
        result, solver = "unknown", None
        last = 600 if 8 * rlimit >= RLIMIT else 2  # the strong procedure does not count all of its work
        for way, share, seconds in ((_quick, 40, 30), (strong, 1, last), (_quick, 1, 300)):
            if named and way is _quick and share == 1:
                continue
            solver = way(facts, sources)
            solver.set("rlimit", rlimit // share)
            solver.set("timeout", seconds * 1000)  # a last resort: the work is bounded first
            try:
                result = str(solver.check())
            except z3.Z3Exception:
                result = "unknown"
            if result != "unknown":
                break
        if result == "unsat":
            core = {each.decl().name() for each in solver.unsat_core()}  # type: ignore[union-attr]
            self.used = frozenset(source for source in sources if f"uses:{source}" in core)
        return result, solver

    def known(self, stage: int) -> list[Any]:
        return [as_term(each) for facts in self.facts[: stage + 1] for each in facts if each is not True]

    def _read(self, model: z3.ModelRef) -> None:
        for each in model.decls():
            value = model[each]
            if z3.is_rational_value(value):
                self.model[each.name()] = Fraction(value.numerator_as_long(), value.denominator_as_long())
            elif z3.is_true(value) or z3.is_false(value):
                self.model[each.name()] = z3.is_true(value)

    def counterexample(self, rlimit: int = RLIMIT, tidy: Sequence[Any] = ()) -> Values | None:
        """Values in which all that is known holds and the goal fails; as many of `tidy`, in their order, hold as can."""
        solver = z3.Solver()
        solver.set("rlimit", rlimit)
        solver.add(*self.known(2), *(as_term(each.formula) for each in self.hypotheses), as_term(negate(self.goal)))
        if str(solver.check()) != "sat":
            return None
        model = solver.model()
        for each in tidy:
            if z3.is_true(model.eval(each, model_completion=True)):
                solver.add(each)
                continue
            solver.push()
            solver.add(each)
            solver.set("rlimit", rlimit // 100)
            if str(solver.check()) == "sat":
                model = solver.model()
            else:
                solver.pop()
        return Values(model)

    def possible(self, rlimit: int = RLIMIT) -> bool | None:
        """Can all that is assumed hold at once?  (If not, whatever is proved from it says nothing.)"""
        solver = z3.Solver()
        solver.set("rlimit", rlimit)
        solver.add(*self.known(2))
        solver.add(*(as_term(each.formula) for each in self.hypotheses))
        result = str(solver.check())
        return None if result == "unknown" else result == "sat"

    def smtlib(self) -> str:
        """The question as a text that any solver reads; "unsat" is the proof."""
        solver = z3.Solver()
        seen: dict[int, bool] = {}
        known = self.known(self.stage)
        known += [as_term(each.formula) for each in self.hypotheses if each.stage <= self.stage and each.source in self.used]
        solver.add(*(each for each in known if not (self.only_named and mentions_crowd(each, seen))))
        solver.add(as_term(negate(self.goal)))
        return solver.to_smt2()


@frozen(eq=False)
class Values:
    """What a solver gave the unknowns."""

    model: z3.ModelRef

    def of(self, value: Any) -> Any:
        """The exact value of a number, a condition or a member; None of a number that is not rational."""
        if isinstance(value, Poly):
            found: Any = self.model.eval(value.term(), model_completion=True)
            if not z3.is_rational_value(found):
                return None
            return Fraction(found.numerator_as_long(), found.denominator_as_long())
        if isinstance(value, Sel):
            return next((k for k, cond in enumerate(value.is_) if self.of(cond)), 0)
        if isinstance(value, z3.BoolRef):
            return z3.is_true(self.model.eval(value, model_completion=True))
        return value


def _quick(facts: Sequence[Any], sources: Mapping[str, list[Any]]) -> z3.Solver:
    return _tracking(z3.SimpleSolver(), facts, sources)


def strong(facts: Sequence[Any], sources: Mapping[str, list[Any]]) -> z3.Solver:
    return _tracking(z3.Tactic("qfnra-nlsat").solver(), facts, sources)


def _tracking(solver: z3.Solver, facts: Sequence[Any], sources: Mapping[str, list[Any]]) -> z3.Solver:
    """A solver that can say which sources it needed."""
    solver.set("unsat_core", True)
    assume(solver, facts, {f"uses:{source}": terms for source, terms in sources.items()})
    return solver


def mentions_crowd(term: Any, seen: dict[int, bool]) -> bool:
    """Does the term speak of sums over a class?"""
    return mentions(term, "~", seen)


def recheck(text: str, rlimit: int = 4 * RLIMIT) -> bool:
    """Does a fresh solver, given nothing but the text, agree?"""
    context = z3.Context()
    for strong, share, seconds in ((False, 40, 2), (True, 1, 60), (False, 1, 60)):
        solver = z3.Tactic("qfnra-nlsat", ctx=context).solver() if strong else z3.SimpleSolver(ctx=context)
        solver.set("rlimit", rlimit // share)
        solver.set("timeout", seconds * 1000)
        solver.from_string(text)
        if str(solver.check()) == "unsat":
            return True
    return False
