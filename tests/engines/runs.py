"""Random exact runs, step by step, put into the formulas of the bounded search."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import z3
from attrs import frozen
from quicktions import Fraction

from specforge.algebra.exact import Cell, ExactMachine, State
from specforge.algebra.solver import substitute
from specforge.algebra.symbolic import Num, Sel, as_term, real
from specforge.core import ir
from specforge.core.machine import Firing, Machine
from specforge.engines.bmc import Unrolling
from specforge.engines.encoding import Encoding, Grids, parts
from specforge.engines.simulate import Walk, sizes_for
from specforge.evidence.goal import Goal, ReachGoal
from specforge.evidence.play import Event, Judge, Outcome
from specforge.evidence.replay import Script
from specforge.evidence.trace import Plan

NOTHING = ReachGoal(ir.Reach("", ir.NO))


@frozen
class Move:
    """One step of a run: an action or one firing, and the state after it."""

    name: str
    duty: bool
    args: tuple[Any, ...]
    after: State


@frozen
class Run:
    """`shown`: for each goal, after how many steps it is shown first (None: it is not)."""

    sizes: dict[str, int]
    start: State
    moves: tuple[Move, ...]
    shown: tuple[int | None, ...]

    @property
    def end(self) -> State:
        return self.moves[-1].after if self.moves else self.start


def random_runs(system: ir.System, members: int, goals: Sequence[Goal], seed: int, count: int, steps: int) -> list[Run]:
    walk = Walk(system, sizes_for(system, members), [NOTHING], seed)
    walk.goes_on = True
    runs: list[Run] = []
    for attempt in range(count * 4):
        if len(runs) < count and walk.begin(defaults=attempt % 2 == 0):
            walk.run(steps)
            runs.append(recorded(system, walk.plan(), goals))
    return runs


def recorded(system: ir.System, plan: Plan, goals: Sequence[Goal]) -> Run:
    machine = ExactMachine(system, plan.sizes)
    machine.begin(plan.start)
    start = machine.save()
    moves: list[Move] = []

    def watch(what: Event | Firing, at: Machine) -> None:
        duty = isinstance(what, Firing)
        name, args = (what.duty, what.members) if isinstance(what, Firing) else (what.action, what.args)
        moves.append(Move(name, duty, args, at.save()))

    assert play(Judge(machine, NOTHING, watch), plan) is Outcome.GOES_ON
    shown: list[int | None] = []
    for goal in goals:
        machine.restore(start)
        passed: list[None] = []
        outcome = play(Judge(machine, goal, lambda what, at, passed=passed: passed.append(None)), plan)
        shown.append(len(passed) if outcome is Outcome.FOUND else None)
    return in_order(system, Run(dict(machine.sizes), start, tuple(moves), tuple(shown)))


def play(judge: Judge, plan: Plan) -> Outcome:
    played = judge.start(Script((), plan.firings[0]))
    for count, event in enumerate(plan.events):
        if played.outcome is not Outcome.GOES_ON:
            break
        played = judge.step(event, Script(event.giving, plan.firings[count + 1]))
    return played.outcome


def in_order(system: ir.System, run: Run) -> Run:
    """The same run with members renamed: the world names the first first (LANGUAGE: they are interchangeable)."""
    new: dict[str, dict[int, int]] = {}
    for party in system.open_parties():
        first = list(range(len(party.named)))
        for move in run.moves:
            for param, arg in zip(() if move.duty else system.actions[move.name].params, move.args, strict=False):
                if param.type == ir.Of(party.name) and arg not in first:
                    first.append(arg)
        first += [k for k in range(run.sizes[party.name]) if k not in first]
        new[party.name] = {old: at for at, old in enumerate(first)}

    def state(old: State) -> State:
        return {(name, new.get(system.fields[name].party, {}).get(k, k), i): value for (name, k, i), value in old.items()}

    def args(move: Move) -> tuple[Any, ...]:
        params = (system.duties if move.duty else system.actions)[move.name].params
        return tuple(
            new[p.type.party][arg] if isinstance(p.type, ir.Of) and p.type.party in new else arg
            for p, arg in zip(params, move.args, strict=True)
        )

    moves = tuple(Move(move.name, move.duty, args(move), state(move.after)) for move in run.moves)
    return Run(run.sizes, state(run.start), moves, run.shown)


def pairs_for(unknown: Any, value: Any) -> list[tuple[Any, Any]]:
    """The terms an unknown is made of, each with what it is when the unknown has that value."""
    if isinstance(unknown, Num):
        assert unknown.cases is None
        return [(unknown.term, real(Fraction(value)))]
    if isinstance(unknown, Sel):
        return [(each, z3.BoolVal(k == value)) for k, each in enumerate(unknown.is_)]
    return [] if isinstance(unknown, bool | int | Fraction) else [(unknown, z3.BoolVal(bool(value)))]


def simplified(formulas: Iterable[Any], pairs: Sequence[tuple[Any, Any]]) -> list[Any]:
    """The formulas with what is known put in; those that hold anyway are left out."""
    put = (z3.simplify(z3.substitute(as_term(each), *pairs)) for each in formulas)
    return [each for each in put if not z3.is_true(each)]


class Undecided(Exception):
    """Too much work for the solver."""


def satisfiable(formulas: Iterable[Any], solver: z3.Solver | None = None) -> bool:
    solver = solver or z3.Solver()
    solver.push()
    solver.set("rlimit", 20_000_000)
    solver.add(*formulas)
    answer = str(solver.check())
    if answer == "unknown":
        raise Undecided(solver.reason_unknown())
    solver.pop()
    return answer == "sat"


class Pinned:
    """The formulas of a run, with a recorded run put in: what is left open are the shares and the bookkeeping, and the cells
    `loose` (by number of steps), which are asserted instead."""

    def __init__(self, system: ir.System, run: Run, goals: Sequence[Goal], loose: Mapping[int, Cell]):
        self.run, self.encoding = run, encode(system, run, goals)
        self.unrolling = Unrolling(self.encoding)
        self.pairs: list[tuple[Any, Any]] = []
        self.as_played: dict[int, list[Any]] = {}
        self.otherwise: dict[int, list[Any]] = {}
        for cell, value in self.encoding.start_state.items():
            if not (isinstance(value, Num) and system.fields[cell[0]].kind is ir.Kind.HOUSE):
                self.pairs += pairs_for(value, run.start[cell])
        for t, move in enumerate(run.moves, 1):
            self.unrolling.extend()
            self.pairs += step_pairs(self.encoding, move, self.unrolling.steps[-1])
            for cell, now in self.unrolling.states[t].items():
                if loose.get(t) == cell:
                    self.as_played[t] = [a == b for a, b in pairs_for(now, move.after[cell])]
                    self.otherwise[t] = [a == b for a, b in pairs_for(now, self._another(cell, move.after[cell]))]
                elif cell in move.after:
                    self.pairs += pairs_for(now, move.after[cell])
        self.grow()

    def grow(self) -> None:
        """Takes in what the unrolling says by now."""
        self.solver = z3.Solver()
        self.solver.add(*simplified(self.unrolling.session.solver.assertions(), self.pairs))

    def can(self, *also: Any, other: int = 0, counts: int | None = None) -> bool:
        """Is the run a model of the formulas, and of `also`?  `other`: after so many steps, the loose cell has another value;
        `counts`: the goal whose assumptions hold."""
        formulas = simplified(also, self.pairs)
        for t, played in self.as_played.items():
            formulas += self.otherwise[t] if t == other else played
        if counts is not None:
            formulas.append(z3.Bool(f"counts:{counts}"))
        return satisfiable(formulas, self.solver)

    def _another(self, cell: Cell, value: Any) -> Any:
        if isinstance(value, bool):
            return not value
        if isinstance(value, int):
            kind = self.encoding.system.fields[cell[0]].type
            assert isinstance(kind, ir.Of)
            return (value + 1) % self.run.sizes[kind.party]
        return value + 1


def encode(system: ir.System, run: Run, goals: Sequence[Goal]) -> Encoding:
    return Encoding(system, {party.name: run.sizes[party.name] for party in system.open_parties()}, Grids(), goals)


def step_pairs(encoding: Encoding, move: Move, own: Sequence[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """Which rule the step is, and its arguments; `own`: the step's names for its unknowns."""
    pairs: list[tuple[Any, Any]] = []
    for rule in encoding.rules:
        this = rule.name == move.name and rule.duty == move.duty
        pairs.append((substitute(rule.do, own), z3.BoolVal(this)))
        if this:
            for arg, value in zip(rule.args, move.args, strict=True):
                pairs += [(substitute(term, own), known) for term, known in pairs_for(arg, value)]
    return pairs


class AtRest:
    """The formulas of one step, in a state at rest in which everybody has been named before."""

    def __init__(self, system: ir.System, run: Run, goals: Sequence[Goal]):
        self.encoding = encoding = encode(system, run, goals)
        self.pairs: list[tuple[Any, Any]] = []
        for cell, value in {**encoding.start_state, **encoding.formal}.items():
            known = run.end.get(cell, cell[0].startswith("touched:"))
            if not (isinstance(value, Num) and (cell not in run.end or parts(value)[0].num_args())):
                self.pairs += pairs_for(value, known)

    def goes_through(self, move: Move) -> bool:
        pairs = [*self.pairs, *step_pairs(self.encoding, move, ())]
        return satisfiable(simplified(self.encoding.step, pairs))

    def shows(self, at: int, move: Move) -> bool:
        bad = self.encoding.looked[at].bad
        return bad is not False and satisfiable(simplified([bad], [*self.pairs, *step_pairs(self.encoding, move, ())]))
