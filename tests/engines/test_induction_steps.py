"""What the exact interpreter does with 3 to 8 members is a model of the prover's formulas, all but a few summed up."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import z3
from quicktions import Fraction

from specforge.algebra.classes import NotAdditive, Own, Virtual
from specforge.algebra.exact import ExactMachine
from specforge.algebra.polynomial import Poly
from specforge.algebra.symbolic import Sel, as_term
from specforge.core import ir
from specforge.core.machine import DefectFound, Refused
from specforge.elaborate import compile_text, load
from specforge.engines.cases import Book, Case
from specforge.engines.transitions import Scene, begin, in_classes

EXAMPLES = sorted(Path(__file__).parents[1].glob("venues/*.rulebook"))
GHOSTS = ("by", "acted", "was", "~")
VALUES = [Fraction(x) for x in (0, 1, 2, 3, 5, 10, 20, 50, 80, 100, 120, 150)]
VALUES += [Fraction(1, 2), Fraction(7, 3), Fraction(9, 10)]


def q(value: Any) -> Any:
    return z3.BoolVal(value) if isinstance(value, bool) else z3.Q(Fraction(value).numerator, Fraction(value).denominator)


class Unsure(Exception):
    """The question depends on an unknown that the concrete step does not determine."""


class Concrete:
    """One concrete step seen by a scene: who is who, and what every unknown of the state is."""

    def __init__(self, scene: Scene, before: dict, after: dict, sizes: dict[str, int], who: dict[str, list[int]], args: dict):
        self.scene, self.before, self.after, self.sizes, self.who, self.args = scene, before, after, sizes, who, args
        self.known: list[tuple[Any, Any]] = []
        self.equations: list[Any] = []
        algebra = scene.algebra
        for (name, member, index), value in scene.before.items():
            if not isinstance(member, Virtual) and name.partition(":")[0] not in GHOSTS:
                self._same(value, before[name, self._real(name, member), index])
        for name, value in args.items():
            self._same(scene.env[name], value)
        for party, classes in algebra.crowd.items():
            rest = [m for m in range(sizes[party]) if m not in who[party]]
            parts: dict[int, list[int]] = {}
            for m in rest:
                mine = [k for k, each in enumerate(classes) if all(self.answers(x, m) == a for x, a in each.answers.items())]
                assert len(mine) == 1, "the classes must be a partition"
                parts.setdefault(mine[0], []).append(m)
            for k, each in enumerate(classes):
                members = parts.get(k, [])
                self._sum(each, ("",), Fraction(len(members)))
                for (of, meaning), number in algebra.floors.items():
                    if of == party and (each, ("floor", number)) in algebra.rounded:
                        floors = (Fraction(self._of(meaning, m).__floor__()) for m in members)
                        self._sum(each, ("floor", number), sum(floors, Fraction(0)))
                for f in scene.book.system.fields.values():
                    if f.party == party and isinstance(f.type, ir.Number):
                        for i in range(sizes[f.per]) if f.per else range(1):
                            self._sum(each, (f.name, i), sum((before[f.name, m, i] for m in members), Fraction(0)))
                            post = algebra.state[f.name, each, i]
                            assert isinstance(post, Own)
                            total = sum((after[f.name, m, i] for m in members), Fraction(0))
                            self.equations.append(post.total().term() == q(total))
        for (name, member, index), value in algebra.state.items():
            if not isinstance(member, Virtual) and name.partition(":")[0] not in GHOSTS:
                self.equations.append(_equation(value, after[name, self._real(name, member), index]))

    def _real(self, name: str, member: int) -> int:
        party = self.scene.book.system.fields[name].party
        return self.who[party][member] if party in self.who else member

    def _same(self, value: Any, concrete: Any) -> None:
        equation = _equation(value, concrete)
        if z3.is_expr(equation):
            self.equations.append(equation)
        if isinstance(value, Poly) and value.constant is None:
            self.known.append((value.term(), q(concrete)))
        elif z3.is_expr(value):
            self.known.append((value, q(concrete)))

    def _sum(self, each: Virtual, atom: tuple, value: Fraction) -> None:
        self.equations.append(each.sum(atom).term() == q(value))

    def answers(self, question: tuple, member: int) -> bool:
        if question[0] == "flag":
            return self.before[question[1], member, question[2]]
        if question[0] == "is":
            return self.before[question[1], member, question[2]] == question[3]
        return self._of(question[1], member) > 0

    def _of(self, own: Any, member: int) -> Fraction:
        """The value of a number that each member of a class has."""
        return sum((self.number(Poly(dict(parts))) * self._atom(atom, member) for atom, parts in own), Fraction(0))

    def _atom(self, atom: tuple, member: int) -> Fraction:
        if atom[0] == "share":
            raise Unsure(str(atom))
        if atom[0] == "floor":
            meaning = next(own for (_, own), number in self.scene.algebra.floors.items() if number == atom[1])
            return Fraction(self._of(meaning, member).__floor__())
        return Fraction(1) if atom == ("",) else self.before[atom[0], member, atom[1]]

    def number(self, p: Poly) -> Fraction:
        term = p.term()
        for _ in range(4):
            term = z3.simplify(z3.substitute(term, *self.known, *self._quotients()))
            if z3.is_rational_value(term):
                return Fraction(term.numerator_as_long(), term.denominator_as_long())
        raise Unsure(str(p.term()))

    def _quotients(self) -> list[tuple[Any, Any]]:
        pairs = []
        for (a, b), name in self.scene.algebra.quotients.items():
            pairs.append((name.term(), Poly(dict(a)).term() / Poly(dict(b)).term()))
        return pairs


def _equation(value: Any, concrete: Any) -> Any:
    if isinstance(value, Sel):
        return as_term(value.is_[concrete])
    if isinstance(value, Poly):
        return value.term() == q(concrete)
    if isinstance(value, bool | int) and not z3.is_expr(value):
        return z3.BoolVal(value == concrete)
    return value == q(concrete)


def explain(scene: Scene, view: Concrete) -> str | None:
    """None if the formulas admit the step; else which of them stand against it."""
    solver = z3.Solver()
    solver.set("timeout", 5_000)
    facts = [*scene.algebra.facts[0], *scene.algebra.conditions, *scene.algebra.facts[1], *scene.algebra.facts[2]]
    facts += [each.formula for each in scene.hypotheses]
    for at, each in enumerate([as_term(x) for x in facts]):
        solver.assert_and_track(each, f"fact{at}")
    for at, each in enumerate(view.equations):
        solver.assert_and_track(each, f"concrete{at}")
    if str(solver.check()) != "unsat":
        return None
    named = {f"fact{at}": x for at, x in enumerate(facts)} | {f"concrete{at}": x for at, x in enumerate(view.equations)}
    return "\n".join(str(named[str(each)]) for each in solver.unsat_core())


class Steps:
    """Random runs of one rulebook, every step of which is checked."""

    def __init__(self, system: ir.System, seed: int, coarse: bool):
        self.book, self.random, self.coarse = Book.of(system), random.Random(seed), coarse
        self.system = system
        self.checked = self.unsure = 0
        self.cache: dict[Any, Any] = {}

    def run(self, actions: int) -> None:
        rng, system = self.random, self.system
        sizes = {p.name: max(len(p.named), 0) + rng.randint(3, 8) for p in system.open_parties()}
        machine = ExactMachine(system, sizes)
        start: dict = {}
        for f in system.fields.values():
            if f.kind in (ir.Kind.HOUSE, ir.Kind.NET) or (f.start is not None and f.kind is not ir.Kind.PARAMETER):
                continue
            for cell in machine.cells(f):
                if f.party in sizes and cell[1] < len(system.parties[f.party].named) and f.start is not None:
                    continue
                start[cell] = self.value(f.type, machine.sizes)
        for f in system.parameters():
            if isinstance(f.type, ir.Number) and (rng.random() < 0.5 or (f.start is not None and f.low == f.high)):
                start.pop((f.name, 0, 0), None)
            elif isinstance(f.high, ir.Lit):
                start[f.name, 0, 0] = Fraction(rng.randint(0, 10), 10) * Fraction(f.high.value)  # type: ignore[arg-type]
        try:
            machine.begin(start)
        except DefectFound:
            return
        for _ in range(actions):
            action = rng.choice([a for a in system.actions.values() if a.open])
            args = tuple(self.argument(action, p, machine) for p in action.params)
            before = machine.save()
            try:
                took = machine.act(action.name, args, self.pick)
            except (Refused, DefectFound):
                machine.restore(before)
                continue
            self.check("action", action, args, before, machine.save(), machine.sizes)
            if not self.settle(machine, {name for name, _ in took}):
                return

    def play(self, scenario: ir.Scenario) -> None:
        """The actions of a scenario, with two more members who stand by."""
        system = self.system
        sizes = {name: len(members) + 2 for name, members in scenario.members}
        sizes |= {p.name: len(p.named) + 2 for p in system.open_parties() if p.name not in sizes}
        machine = ExactMachine(system, sizes)
        machine.begin({})
        start = {}
        for place, expr in scenario.starts:
            index = machine.evaluate(place.index) if place.index is not None else 0
            start[place.field, machine.evaluate(place.member), index] = machine.evaluate(expr)
        for f in system.fields.values():  # those who stand by have something to lose
            if f.party in sizes and f.kind is ir.Kind.BALANCE and f.start is None:
                for cell in machine.cells(f):
                    if cell[1] >= sizes[f.party] - 2:
                        start[cell] = self.random.choice(VALUES[:6])
        machine.begin(start)
        for line in scenario.lines:
            if isinstance(line, ir.Act):
                args = tuple(machine.evaluate(each) for each in line.args)
                before = machine.save()
                try:
                    took = machine.act(line.action, args, self.pick)
                except (Refused, DefectFound):
                    machine.restore(before)
                    continue
                self.check("action", system.actions[line.action], args, before, machine.save(), machine.sizes)
                if not self.settle(machine, {name for name, _ in took}):
                    return

    def settle(self, machine: ExactMachine, took: set[str]) -> bool:
        acted: set = set()
        for _ in range(20):
            ready = [
                (duty, members)
                for duty in self.system.duties.values()
                if not duty.after or took & set(duty.after)
                for members in machine.due(duty)
                if not (duty.once and (duty.name, members) in acted)
            ]
            if not ready:
                return True
            duty, members = ready[0]
            acted.add((duty.name, members))
            before = machine.save()
            try:
                took |= {name for name, _ in machine.fire(duty, members, self.pick)}
            except DefectFound:
                return False
            self.check("duty", duty, members, before, machine.save(), machine.sizes)
        return False

    def pick(self, choice: Any) -> int:
        return self.random.randrange(len(choice.options))

    def value(self, type: ir.Type, sizes: dict[str, int]) -> Any:
        if isinstance(type, ir.Flag):
            return self.random.random() < 0.4
        if isinstance(type, ir.Of):
            return self.random.randrange(sizes[type.party])
        return self.random.choice(VALUES)

    def argument(self, action: ir.Action, param: ir.Argument, machine: ExactMachine) -> Any:
        value = self.value(param.type, machine.sizes)
        if isinstance(value, Fraction) and not isinstance(value, bool):
            if "price" in param.name:
                return Fraction(self.random.choice((50, 80, 95, 100, 105, 120, 10, 1)))
            return value / self.random.choice((1, 10, 100)) * self.random.choice((1, 1, 1, -1))
        return value

    def check(self, kind: Any, rule: Any, args: tuple, before: dict, after: dict, sizes: dict[str, int]) -> None:
        members, values = [], {}
        who = {p.name: list(range(len(p.named))) for p in self.system.open_parties()}
        for param, arg in zip(rule.params, args, strict=True):
            if isinstance(param.type, ir.Of):
                there = who.get(param.type.party)
                if there is not None and arg not in there:
                    there.append(arg)
                members.append((param.name, arg if there is None else there.index(arg)))
            else:
                values[param.name] = arg
        named = tuple((party, len(there)) for party, there in who.items())
        extra = {}
        for party, there in who.items():
            others = [m for m in range(sizes[party]) if m not in there]
            more = self.random.sample(others, min(len(others), self.random.randint(0, 2)))
            there.extend(more)
            extra[party] = len(more)
        fixed = tuple((p.name, before[p.name, 0, 0]) for p in self.system.parameters() if isinstance(p.type, ir.Of))
        case = Case(kind, rule.name, tuple(members), named, fixed)
        key = (case, tuple(extra.items()))
        if key not in self.cache:
            try:
                self.cache[key] = in_classes(lambda crowd: begin(self.book, case, extra, crowd, {}, self.coarse), list(who))
            except NotAdditive:
                self.cache[key] = None
        scene = self.cache[key]
        if scene is None:
            return
        try:
            view = Concrete(scene, before, after, sizes, who, values)
        except Unsure:
            self.unsure += 1
            return
        against = explain(scene, view)
        assert against is None, f"{case.text()}:\n{against}"
        self.checked += 1
        fields = self.system.fields
        numbers = [c for c in after if isinstance(fields[c[0]].type, ir.Number) and fields[c[0]].kind is not ir.Kind.PARAMETER]
        wrong = self.random.choice(numbers)
        spoilt = Concrete(scene, before, {**after, wrong: after[wrong] + Fraction(1, 3)}, sizes, who, values)
        assert explain(scene, spoilt) is not None, f"{case.text()}: {wrong} may be anything"


@pytest.mark.parametrize("coarse", [True, False], ids=["coarse", "exact"])
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_concrete_steps_are_models_of_the_formulas(path: Path, coarse: bool) -> None:
    system, _ = load(str(path))
    assert system is not None
    steps = Steps(system, 7, coarse)
    for _ in range(12):
        steps.run(10)
    assert steps.checked > 10
    for scenario in steps.system.scenarios.values():
        for _ in range(3):
            steps.play(scenario)


EVERYBODY = """rulebook "Everybody" "Everybody adds to what all share, and to his own."
asset USD
party Trader:
    margin: balance USD
    owes: net USD
    hits: number = 0
party Venue, one:
    hits: number = 0
    fund: balance USD
    book: net USD
action fee(n: USD):
    require n >= 0
    for each t: Trader where t.margin >= n:
        transfer n from t.margin to Venue.fund
        Venue.hits += 1
        t.hits += 1
action bonus(n: USD):
    require n > 0 and n * (count of t: Trader) <= Venue.fund
    for each t: Trader:
        transfer n from Venue.fund to t.margin
        if t.hits > 1:
            Venue.hits -= 2
action cut(rate: ratio):
    require rate >= 0 and rate <= 1
    for each t: Trader:
        transfer floor(t.margin * rate, 1 USD) from t.margin to Venue.fund
        if floor(t.margin * rate, 5 USD) > 5 USD:
            t.hits += floor(t.owes / 7 USD, 1)
action take(n: USD):
    collect n:
        taking x from each t: Trader where t.margin > 1 USD up to t.margin in proportion to t.margin:
            transfer x from t.margin to Venue.fund
            transfer 1 USD from t.owes to Venue.book
            Venue.hits += 1
        rest left:
            nothing
"""


@pytest.mark.parametrize("coarse", [True, False], ids=["coarse", "exact"])
def test_what_everybody_does_at_once_is_a_model_of_the_formulas(coarse: bool) -> None:
    system, diagnostics = compile_text(EVERYBODY)
    assert system is not None, diagnostics
    steps = Steps(system, 7, coarse)
    for _ in range(25):
        steps.run(10)
    assert steps.checked > 30
