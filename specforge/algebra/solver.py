"""Z3 sessions: adding what is known, asking, and reading exact values out of a model."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import z3
from quicktions import Fraction

from specforge.algebra.symbolic import Num, Sel, as_term
from specforge.algebra.symbolic import exactly_one as exactly_one
from specforge.algebra.terms import alike, check, flag, name_of, number, real, stop
from specforge.algebra.terms import substitute as direct

Answer = Literal["sat", "unsat", "unknown"]


Interrupted = z3.Z3Exception  # what anything may raise while there are interruptions


_METER = z3.SimpleSolver()
SECOND = 5_000_000  # of these units an ordinary core does about so many in a second of a search
MOST = 4_294_967_295  # of what a solver can be told


def work_done() -> int:
    """What the solver has done in this process so far, in its own count: the same on every machine."""
    return int(_METER.statistics().get_key_value("rlimit count"))


def set_seed(seed: int) -> None:
    """For every solver that is made from now on."""
    for name in ("smt.random_seed", "sat.random_seed", "nlsat.seed"):
        z3.set_param(name, seed)


def interrupt() -> None:
    """Ends whatever question is being worked on (from another thread); its answer is unknown.  Nobody else hears of it: Z3 has
    also an interruption of everything at once, after which it refuses to simplify or to find roots for ever."""
    _stop()


class Irrational(Exception):
    """The model's value cannot be written as a fraction."""


SLOW = 10  # times as long as on an ordinary core, a question may take on this machine
_due = math.inf


def _nothing() -> None:
    """Nobody is at work."""


_stop: Callable[[], None] = _nothing  # ends the question that is being worked on


def overdue() -> float:
    """By how many seconds the question that is being worked on should have been given up by now: the solver has steps in
    which it does not look at its limits, and some of them do not end (roots of ever longer numbers).  0: it is not late."""
    return max(0.0, time.monotonic() - _due)


@contextmanager
def due_in(seconds: float, stop: Callable[[], None] = _nothing) -> Generator[None]:
    """A question that is to be given up after so many seconds, by the solver itself.  `stop`: ends it, from another thread."""
    global _due, _stop
    _due, _stop = time.monotonic() + seconds, stop
    try:
        yield
    finally:
        _due, _stop = math.inf, _nothing


def asked(solver: z3.Solver, rlimit: int, milliseconds: int, *assuming: Any) -> Answer:
    """sat, unsat or unknown (it was interrupted, the time or the work ran out).  `rlimit` 0: as much work as it takes."""
    solver.set(rlimit=rlimit, timeout=milliseconds)
    try:
        with due_in(min(milliseconds / 1000, (rlimit or math.inf) * SLOW / SECOND), lambda: stop(solver)):
            answer = check(solver, assuming)
    except z3.Z3Exception:  # interrupted, or out of resources
        return "unknown"
    return "sat" if answer > 0 else "unsat" if answer < 0 else "unknown"


class Session:
    """One incremental solver.  `seconds` spent in it are counted.  `search`: set up for long searches of bounded runs, where
    no preprocessing and no equations between numbers are several times as fast; `plain`: and for runs with hardly a choice
    among values, where the older arithmetic is about twice as fast."""

    def __init__(self, logic: str | None = None, seed: int = 0, search: bool = False, plain: bool = False):
        self.solver = z3.SimpleSolver() if search else z3.Solver() if logic is None else z3.SolverFor(logic)
        self.solver.set("random_seed", seed)
        if search:
            self.solver.set("arith.propagate_eqs", False)
            if plain:
                self.solver.set("arith.solver", 2)
        self.seconds = 0.0

    def add(self, facts: Iterable[Any]) -> None:
        for each in facts:
            if each is not True:
                self.solver.add(as_term(each))

    def push(self) -> None:
        self.solver.push()

    def pop(self) -> None:
        self.solver.pop()

    def ask(self, assuming: Sequence[Any] = (), seconds: float | None = None, rlimit: float | None = None) -> Answer:
        """sat, unsat or unknown (the time or the work ran out)."""
        literals = [each for each in assuming if each is not True]
        if any(each is False for each in literals):
            return "unsat"
        milliseconds = MOST if seconds is None else max(1, int(min(MOST, seconds * 1000)))
        work = 0 if rlimit is None else max(1, int(min(MOST, rlimit)))
        start = time.perf_counter()
        answer = asked(self.solver, work, milliseconds, *literals)
        self.seconds += time.perf_counter() - start
        return answer

    def model(self) -> Model:
        return Model(self.solver.model())

    @staticmethod
    def equation(name: str, value: Fraction) -> Any:
        """The unknown of that name has that value."""
        return alike(real(value), number(name))


class Model:
    """Values of unknowns; what the solver left open is 0, no, or the first member."""

    def __init__(self, model: z3.ModelRef):
        self._model = model

    def value(self, of: Any) -> Any:
        """The exact value of a number, flag or member.  Raises Irrational."""
        if isinstance(of, Fraction | bool | int):
            return of
        if isinstance(of, Sel):
            return next((k for k, cond in enumerate(of.is_) if self.value(cond)), 0)
        if isinstance(of, Num):
            if of.cases is not None:
                return next((v for v, cond in of.cases if self.value(cond)), of.cases[0][0])
            return self._number(of.term)
        return z3.is_true(self._model.eval(of, model_completion=True))

    def number(self, name: str) -> Fraction:
        """The value of the unknown of that name.  Raises Irrational."""
        return self._number(z3.Real(name))

    def _number(self, of: z3.ArithRef) -> Fraction:
        found = self._model.eval(of, model_completion=True)
        if z3.is_rational_value(found):
            return Fraction(found.numerator_as_long(), found.denominator_as_long())
        raise Irrational(str(found))


def substitute(of: Any, pairs: Sequence[tuple[z3.ExprRef, z3.ExprRef]]) -> Any:
    """The same formula over other unknowns."""
    if isinstance(of, bool):
        return of
    return direct(of, pairs) if isinstance(of, z3.BoolRef) else z3.substitute(of, *pairs)


def renamed(constant: z3.ExprRef, suffix: str) -> z3.ExprRef:
    """A fresh constant of the same sort, its name lengthened.  INVARIANT: of a flag `x=1` it is x that is another: it says
    nothing against `x=2`."""
    name = name_of(constant)
    if not isinstance(constant, z3.BoolRef):
        return number(name + suffix)
    what, chosen, value = name.rpartition("=")
    return flag(f"{what}{suffix}={value}" if chosen else name + suffix)


def at_most(conds: Sequence[Any], count: int) -> Any:
    """At most `count` of these hold."""
    fixed = sum(each is True for each in conds)
    open_ = [each for each in conds if not isinstance(each, bool)]
    if fixed > count:
        return False
    return z3.AtMost(*open_, count - fixed) if len(open_) > count - fixed else True


def new_real(name: str) -> z3.ArithRef:
    return number(name)


def new_flag(name: str) -> z3.BoolRef:
    return flag(name)
