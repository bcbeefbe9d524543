"""One thing to be proved, as a question to a solver: do these facts exclude that the goal fails?

Facts come in stages; each stage may use those before it.  Leaving facts out can lose a proof but cannot make a false one, so
the cheap ones are tried first, and "no" is believed only from the last stage.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Literal

import z3
from attrs import field
from quicktions import Fraction

from specforge.algebra.polynomial import Poly
from specforge.algebra.solver import asked
from specforge.algebra.symbolic import Sel, as_term, implies, negate
from specforge.algebra.terms import assume, conditions, flag, mentions
from specforge.records import define, frozen

Bool = Any
Answer = Literal["proved", "open", "gave up"]
STAGES = ("sums only", "how shares are split", "who is there at all")
RLIMIT = 4_000_000
MOMENT, LONG = 1, 60  # seconds for a procedure

Found = tuple[str, Any, Sequence[str]]  # sat, unsat or unknown; a model if it can be; the sources that show it if it cannot
Way = Callable[..., Found]  # facts, hypotheses, what is wrong, how much work, how many milliseconds
UNKNOWN: Found = ("unknown", None, ())


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
    counterexample: z3.ModelRef | None = None  # with all that is known
    only_named: bool = False
    desk: Desk = field(factory=lambda: Desk())

    @property
    def model(self) -> dict[str, Fraction | bool]:
        """The values of the counterexample, as far as they are exact."""
        return dict(_values(self.counterexample)) if self.counterexample is not None else {}

    def ask(self, rlimit: int = RLIMIT) -> Answer:
        """Sets `answer`, `stage`, `used` (the sources that the proof needs) and, if it is open, `counterexample`."""
        start = time.perf_counter()
        try:
            self.answer = self._ask(rlimit)
        finally:
            self.seconds += time.perf_counter() - start
        return self.answer

    def _ask(self, rlimit: int) -> Answer:
        if self.goal is True:
            return "proved"
        stated = self.desk.where_stated(as_term(self.goal), self.hypotheses)
        if stated is not None:
            self.used = stated
            return "proved"
        last = max((stage for stage in (0, 1, 2) if self._any(stage)), default=0)
        if self.desk.knows_a_crowd(self.known(0), self.hypotheses) and self._check(0, rlimit // 8, True)[0] == "unsat":
            return "proved"
        answer = self._at(0, rlimit)
        if answer == "open" and last and self._is_complete(last):
            return "open"
        if last and answer != "proved":
            answer = self._at(last, rlimit)
            if last > 1 and self._any(1) and answer != "open":  # what can be with all that is known, can be with less
                if self._at(1, rlimit) == "proved":
                    return "proved"
                self.stage, self.counterexample = last, None
        return answer

    def _is_complete(self, last: int) -> bool:
        """Of a counterexample to less than that: does all else that is known hold in it, too?"""
        model = self.counterexample
        later = (*self.facts[1], *self.facts[2], *(each.formula for each in self.hypotheses if each.stage))
        if model is None or not all(holds_in(model, each) for each in later):
            return False
        self.stage = last
        return True

    def _at(self, stage: int, rlimit: int) -> Answer:
        self.stage = stage
        result, self.counterexample = self._check(stage, rlimit)
        answers: dict[str, Answer] = {"unsat": "proved", "sat": "open"}
        return answers.get(result, "gave up")

    def follows_plainly(self, rlimit: int) -> bool:
        """Is it proved by the quick procedure alone?  For what is nice to know, and worth no more than a moment."""
        if self.goal is True:
            return True
        solver = _quick()
        formulas = [as_term(each.formula) for each in self.hypotheses]
        assume(solver, [*self.known(2), *formulas, as_term(negate(self.goal))], {})
        return asked(solver, rlimit, MOMENT * 1000) == "unsat"

    def _any(self, stage: int) -> bool:
        return bool(self.facts[stage]) or any(each.stage == stage for each in self.hypotheses)

    def _check(self, stage: int, rlimit: int, named: bool = False) -> tuple[str, Any]:
        """`named`: with only what is said of named members and of the venue.  Procedures in turn: one that is quick where
        products do not matter, one that is strong where they do (first, if the quick one gave up the last time); then the
        quick one from scratch, without its search for consequences of several equations at once (which may take longer than
        all the rest), and at last with it.  Each has a moment first (`_first_answer`)."""
        self.only_named = named
        facts = self.known(stage)
        hypotheses = [each for each in self.hypotheses if each.stage <= stage and each.formula is not True]
        if named:
            facts = [each for each in facts if not self.desk.is_of_crowd(each)]
            hypotheses = [each for each in hypotheses if not self.desk.is_of_crowd(as_term(each.formula))]
        known = facts, hypotheses, as_term(negate(self.goal))
        last = LONG if 8 * rlimit >= RLIMIT else 2  # the strong procedure does not count all of its work
        told = self.desk.told(stage, named, facts)
        ways: list[tuple[Way, int, int]] = [(told.ask, 40, 30), (_ask_strongly, 1, last)]
        if told.gave_up:
            ways.reverse()
        ways += [] if named else [(_ask_from_scratch, 40, 30), (partial(_ask_from_scratch, grobner=True), 8, 60)]
        began = time.perf_counter()
        result, model, used = _first_answer(ways, known, rlimit)
        if time.perf_counter() - began > MOMENT:
            self.desk.forget(stage, named)
        if result == "unsat":
            self.used = frozenset(used)
        return result, model

    def known(self, stage: int) -> list[Any]:
        return [as_term(each) for facts in self.facts[: stage + 1] for each in facts if each is not True]

    def tidy_counterexample(self, rlimit: int = RLIMIT, tidy: Sequence[Any] = ()) -> Values | None:
        """Values in which all that is known holds and the goal fails; as many of `tidy`, in their order, hold as can."""
        solver = z3.Solver()
        solver.add(*self.known(2), *(as_term(each.formula) for each in self.hypotheses), as_term(negate(self.goal)))
        if asked(solver, rlimit, LONG * 1000) != "sat":
            return None
        model = solver.model()
        for each in tidy:
            if z3.is_true(model.eval(each, model_completion=True)):
                solver.add(each)
                continue
            solver.push()
            solver.add(each)
            if asked(solver, rlimit // 100, LONG * 1000) == "sat":
                model = solver.model()
            else:
                solver.pop()
        return Values(model)

    def possible(self, rlimit: int = RLIMIT) -> bool | None:
        """Can all that is assumed hold at once?  (If not, whatever is proved from it says nothing.)"""
        solver = z3.Solver()
        solver.add(*self.known(2))
        solver.add(*(as_term(each.formula) for each in self.hypotheses))
        result = asked(solver, rlimit, LONG * 1000)
        return None if result == "unknown" else result == "sat"

    def smtlib(self) -> str:
        """The question as a text that any solver reads; "unsat" is the proof."""
        solver = z3.Solver()
        known = self.known(self.stage)
        known += [as_term(each.formula) for each in self.hypotheses if each.stage <= self.stage and each.source in self.used]
        solver.add(*(each for each in known if not (self.only_named and self.desk.is_of_crowd(each))))
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


@define(eq=False)
class Desk:
    """Where questions about one and the same step are asked: what is known of the step is told once, and stays, as long as
    every question may use all that those before it did."""

    of_crowd: dict[int, bool] = field(factory=dict)  # which terms speak of the crowd.  INVARIANT: only of terms in `asked`
    asked: dict[int, tuple[Any, bool]] = field(factory=dict)  # of what was asked, by its place in memory
    stated: dict[int, Hypothesis] = field(factory=dict)  # what may be used, by its place in memory
    stating: dict[int, list[Hypothesis]] = field(factory=dict)  # by the number of a condition.  INVARIANT: of terms in `stated`
    solvers: dict[tuple[int, bool], Told] = field(factory=dict)  # by the stage, and whether only named members are known

    def is_of_crowd(self, term: Any) -> bool:
        known = self.asked.get(id(term))
        if known is None:
            known = self.asked[id(term)] = term, mentions_crowd(term, self.of_crowd)
        return known[1]

    def where_stated(self, goal: Any, hypotheses: Sequence[Hypothesis]) -> frozenset[str] | None:
        """The sources that say just that already: a step that changes nothing of what a lemma speaks of keeps the lemma."""
        for each in hypotheses:
            if each.stage == 0 and not isinstance(each.formula, bool) and id(each) not in self.stated:
                self.stated[id(each)] = each
                for condition in conditions(as_term(each.formula)):
                    self.stating.setdefault(condition, []).append(each)
        stating = [self.stating.get(condition, ()) for condition in conditions(goal)]
        if not all(stating):
            return None
        usable = {id(each) for each in hypotheses}
        first = [next((each.source for each in found if id(each) in usable), None) for found in stating]
        return None if None in first else frozenset(filter(None, first))

    def knows_a_crowd(self, facts: Sequence[Any], hypotheses: Sequence[Hypothesis]) -> bool:
        formulas = [as_term(each.formula) for each in hypotheses if each.stage == 0 and each.formula is not True]
        return any(self.is_of_crowd(each) for each in (*facts, *formulas))

    def told(self, stage: int, named: bool, facts: Sequence[Any]) -> Told:
        """A solver that knows nothing but what is among these facts (of these stages; `named`: of named members only)."""
        told = self.solvers.get((stage, named))
        if told is None or not told.facts.keys() <= {id(each) for each in facts}:
            told = self.solvers[stage, named] = Told()
        return told

    def forget(self, stage: int, named: bool) -> None:
        """The solver has run into numbers that make every further question slow."""
        self.solvers.pop((stage, named), None)


@define(eq=False)
class Told:
    """One solver, and what it has been told: the facts; of what may be used, that it holds if its flag does."""

    solver: z3.Solver = field(factory=lambda: _quick())
    facts: dict[int, Any] = field(factory=dict)  # by their place in memory
    flags: dict[int, tuple[Any, Hypothesis]] = field(factory=dict)
    sources: dict[str, str] = field(factory=dict)  # by the name of the flag
    gave_up: bool = False  # on the latest question

    def ask(
        self, facts: Sequence[Any], hypotheses: Sequence[Hypothesis], wrong: Any, rlimit: int, milliseconds: int
    ) -> Found:
        solver = self.solver
        new = [each for each in facts if id(each) not in self.facts]
        self.facts.update((id(each), each) for each in new)
        using: list[Any] = []
        for each in hypotheses:
            if id(each) not in self.flags:
                name = f"uses:{len(self.flags)}"
                self.flags[id(each)] = flag(name), each
                self.sources[name] = each.source
                new.append(implies(flag(name), as_term(each.formula)))
            using.append(self.flags[id(each)][0])
        assume(solver, new, {})
        solver.push()
        assume(solver, [wrong], {})
        result = asked(solver, rlimit, milliseconds, *using)
        self.gave_up = result == "unknown"
        model = solver.model() if result == "sat" else None
        core = [self.sources[each.decl().name()] for each in solver.unsat_core()] if result == "unsat" else []
        solver.pop()
        return result, model, core


def _first_answer(ways: Sequence[tuple[Way, int, int]], known: tuple[Any, ...], rlimit: int) -> Found:
    """Each way in turn, with its share of the work, has a moment: what one cannot do in that, another often can.  If none of
    them can, those that were cut off have their full time (in seconds)."""
    cut_off: list[tuple[Way, int, int]] = []
    for way, share, seconds in ways:
        began, limit = time.perf_counter(), min(seconds, MOMENT)
        found = way(*known, rlimit // share, limit * 1000)
        if found[0] != "unknown":
            return found
        if limit < seconds and time.perf_counter() - began > limit / 2:
            cut_off.append((way, share, seconds))
    for way, share, seconds in cut_off:
        found = way(*known, rlimit // share, seconds * 1000)
        if found[0] != "unknown":
            return found
    return UNKNOWN


def _quick(grobner: bool = True) -> z3.Solver:
    solver = z3.SimpleSolver()
    solver.set("arith.nl.grobner", grobner)  # consequences of several equations at once
    return solver


def _ask_from_scratch(
    facts: Sequence[Any], hypotheses: Sequence[Hypothesis], wrong: Any, rlimit: int, milliseconds: int, grobner: bool = False
) -> Found:
    return Told(_quick(grobner)).ask(facts, hypotheses, wrong, rlimit, milliseconds)


def _ask_strongly(
    facts: Sequence[Any], hypotheses: Sequence[Hypothesis], wrong: Any, rlimit: int, milliseconds: int
) -> Found:
    sources: dict[str, list[Any]] = {}
    for each in hypotheses:
        sources.setdefault(each.source, []).append(as_term(each.formula))
    return ask_strong([*facts, wrong], sources, rlimit, milliseconds)


def ask_strong(facts: Sequence[Any], sources: Mapping[str, list[Any]], rlimit: int, milliseconds: int) -> Found:
    """Can it all be so?  The procedure that is strong where products matter.  The milliseconds are a last resort: the work is
    bounded first."""
    solver = z3.Tactic("qfnra-nlsat").solver()
    solver.set("unsat_core", True)
    assume(solver, facts, {f"uses:{source}": terms for source, terms in sources.items()})
    result = asked(solver, rlimit, milliseconds)
    core = {each.decl().name() for each in solver.unsat_core()} if result == "unsat" else set[str]()
    return result, solver.model() if result == "sat" else None, [each for each in sources if f"uses:{each}" in core]


def holds_in(model: z3.ModelRef, formula: Bool) -> bool:
    return bool(z3.is_true(model.eval(as_term(formula), model_completion=True)))


def _values(model: z3.ModelRef) -> Iterator[tuple[str, Fraction | bool]]:
    for each in model.decls():
        value = model[each]
        if z3.is_rational_value(value):
            yield each.name(), Fraction(value.numerator_as_long(), value.denominator_as_long())
        elif z3.is_true(value) or z3.is_false(value):
            yield each.name(), z3.is_true(value)


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
