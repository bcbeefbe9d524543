"""What the symbolic carrier says about one known state: its formulas with that state put in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

import z3
from attrs import frozen
from quicktions import Fraction

from specforge.algebra.exact import Cell, ExactMachine
from specforge.algebra.solver import Model
from specforge.algebra.symbolic import Num, Sel, SymbolicAlgebra, as_term, conj, disj, equal, negate, new_number, real
from specforge.core import ir
from specforge.core.evaluate import Evaluator
from specforge.core.machine import Choice, DefectFound, Picker, Refused

Mode = Literal["known", "open", "few"]
MODES: tuple[Mode, ...] = ("known", "open", "few")
WORK = 2_000_000  # of the solver, for one question; what takes more is not judged


class Formal:
    """Values written as unknowns (`open`), as unknowns with a few possible values (`few`), or left as they are (`known`)."""

    def __init__(self, mode: Mode):
        self.mode = mode
        self.pairs: list[tuple[Any, Any]] = []

    def value(self, value: Any, kind: ir.Type, sizes: Mapping[str, int]) -> Any:
        if self.mode == "known":
            return value
        name = f"u{len(self.pairs)}"
        if isinstance(kind, ir.Number):
            few = tuple(sorted({value, value + 1, Fraction(0)})) if self.mode == "few" else None
            number = new_number(name, few, frozenset({"number"}))
            if number.cases is None:
                self.pairs.append((number.term, real(value)))
            else:
                self.pairs += [(flag, z3.BoolVal(v == value)) for v, flag in number.cases]
            return number
        if isinstance(kind, ir.Flag):
            flag = z3.Bool(name)
            self.pairs.append((flag, z3.BoolVal(value)))
            return flag
        count = sizes[kind.party]
        if count == 1:
            return 0
        flags = tuple(z3.Bool(f"{name}={k}") for k in range(count))
        self.pairs += [(flag, z3.BoolVal(k == value)) for k, flag in enumerate(flags)]
        return Sel(flags)

    def state(self, system: ir.System, state: Mapping[Cell, Any], sizes: Mapping[str, int]) -> dict[Cell, Any]:
        return {cell: self.value(value, system.fields[cell[0]].type, sizes) for cell, value in state.items()}

    def ground(self, value: Any) -> Any:
        """The value with what is known put in: a plain value, or a term over what is still open."""
        if isinstance(value, Sel):
            chosen = tuple(self.ground(each) for each in value.is_)
            return chosen.index(True) if True in chosen else Sel(chosen)
        if isinstance(value, Num) and value.cases is not None:
            cases = tuple((v, cond) for v, cond in ((v, self.ground(cond)) for v, cond in value.cases) if cond is not False)
            certain = [v for v, cond in cases if cond is True]
            assert len(certain) <= 1, cases
            return certain[0] if certain else Num(None, cases)
        if isinstance(value, Num):
            put = z3.simplify(z3.substitute(value.term, *self.pairs))
            if z3.is_rational_value(put):
                return Fraction(put.numerator_as_long(), put.denominator_as_long())
            return Num(put)
        if isinstance(value, bool | int | Fraction):
            return value
        put = z3.simplify(z3.substitute(value, *self.pairs))
        return True if z3.is_true(put) else False if z3.is_false(put) else put


@frozen
class Outcome:
    """How a block ended: "done" with a state, "refused", or "defect" with which one and where."""

    how: str
    what: Any = None


class Symbolic:
    """One block, executed by the symbolic carrier in a known state."""

    def __init__(self, mode: Mode, system: ir.System, sizes: Mapping[str, int], state: Mapping[Cell, Any]):
        self.system, self.formal = system, Formal(mode)
        self.machine = ExactMachine(system, sizes)
        self.sizes = self.machine.sizes
        self.algebra = SymbolicAlgebra(self.sizes, state=self.formal.state(system, state, self.sizes))
        self.evaluator = Evaluator(system, self.algebra)

    def execute(self, block: ir.Block, params: Sequence[ir.Argument], args: Sequence[Any]) -> None:
        env = {p.name: self.formal.value(a, p.type, self.sizes) for p, a in zip(params, args, strict=True)}
        self.evaluator.execute(block, env)

    def ended(self, outcome: Outcome) -> Any:
        """The formula: the block ends so."""
        algebra, ground = self.algebra, self.formal.ground
        conditions = [ground(each) for each in algebra.conditions]
        demanded = {each.before: each for each in algebra.demands}
        if outcome.how == "done":
            return conj([*conditions, *(equal(ground(algebra.state[cell]), value) for cell, value in outcome.what.items())])
        if outcome.how == "refused":
            failing = [at for at in range(len(conditions)) if at not in demanded]
            return disj(conj([*conditions[:at], negate(conditions[at])]) for at in failing)
        defect, span = outcome.what
        return disj(
            conj([*conditions[: each.before], ground(each.broken)])
            for each in algebra.demands
            if each.defect is defect and each.span == span
        )

    def can(self, cond: Any) -> bool | None:
        """Is there a way to share in which `cond` holds?  None: too much work to say."""
        solver = z3.Solver()
        solver.set("rlimit", WORK)
        solver.add([as_term(self.formal.ground(each)) for each in self.algebra.facts])
        solver.add(as_term(cond))
        return {"sat": True, "unsat": False}.get(str(solver.check()))


def exact_outcome(machine: ExactMachine, run: Callable[[], Any]) -> Outcome:
    try:
        run()
    except Refused:
        return Outcome("refused")
    except DefectFound as found:
        return Outcome("defect", (found.defect, found.span))
    return Outcome("done", machine.save())


def every_way(run: Callable[[Picker], Outcome], most: int = 200) -> Iterator[Outcome]:
    """The outcome of each order that the rules leave open."""
    tried: list[int] = []
    for _ in range(most):
        made: list[tuple[int, int]] = []

        def pick(choice: Choice, tried: list[int] = tried, made: list[tuple[int, int]] = made) -> int:
            picked = tried[len(made)] if len(made) < len(tried) else 0
            made.append((picked, len(choice.options)))
            return picked

        yield run(pick)
        while made and made[-1][0] + 1 == made[-1][1]:
            made.pop()
        if not made:
            return
        tried = [picked for picked, _ in made[:-1]] + [made[-1][0] + 1]
    raise AssertionError("too many orders")


class SymbolicMachine:
    """The symbolic carrier as a machine: a rule is executed over unknowns, and the solver says what came of it.  Where an
    order is open, those listed first give first."""

    def __init__(self, system: ir.System, sizes: Mapping[str, int], state: Mapping[Cell, Any]):
        self.system, self.sizes, self.now = system, sizes, dict(state)

    def evaluate(self, expr: ir.Expr, env: Mapping[str, Any]) -> Any:
        run = Symbolic("open", self.system, self.sizes, self.now)
        kinds: dict[type, ir.Type] = {bool: ir.Flag(), Fraction: ir.Number()}
        values = {
            name: run.formal.value(value, kinds[type(value)], run.sizes) if type(value) in kinds else value
            for name, value in env.items()
        }
        value = run.evaluator.value(expr, values)
        self._finish(run, {})
        return run.formal.ground(value)

    def act(self, action: str, args: Sequence[Any], picker: Picker) -> None:
        rule = self.system.actions[action]
        run = Symbolic("open", self.system, self.sizes, self.now)
        run.execute(rule.body, rule.params, args)
        self.now = self._finish(run, run.algebra.state)

    def _finish(self, run: Symbolic, state: Mapping[Cell, Any]) -> dict[Cell, Any]:
        """Raises what the rule's conditions say, or returns the state as the solver has it."""
        best = z3.Optimize()
        ground = run.formal.ground
        best.add([as_term(ground(each)) for each in run.algebra.facts])
        for _, _, shares, _ in run.algebra.shared:
            for share in shares:
                best.maximize(as_term(ground(share)))
        assert str(best.check()) == "sat"
        model = Model(best.model())
        demanded = {each.before: each for each in run.algebra.demands}
        for at, each in enumerate(run.algebra.conditions):
            if not model.value(ground(each)):
                if at in demanded:
                    raise DefectFound(demanded[at].defect, demanded[at].span)
                raise Refused
        return {cell: model.value(ground(value)) for cell, value in state.items()}
