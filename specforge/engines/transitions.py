"""Every way a rulebook's state can begin or change, with the members a rule names explicit and all others a crowd.

A transition is an action's body or one firing of a duty.  Where the language lets two arguments be the same member, each way of
coinciding is a transition of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

import z3
from attrs import define, evolve, field, frozen

from specforge.algebra import polynomial as po
from specforge.algebra.crowd import CLASS_LIMIT, PLAIN, STRICT, Cond, CrowdAlgebra, FlagCond, NotAdditive, Own, Split, Virtual
from specforge.algebra.judging import CrowdEvaluator
from specforge.algebra.obligation import Hypothesis, Question
from specforge.algebra.polynomial import Poly
from specforge.algebra.solver import exactly_one
from specforge.algebra.symbolic import Sel, conj, disj, implies, negate
from specforge.core import ir

Bool = Any
RULES_MEMBER = ir.Lit(ir.Member(ir.RULES, 0))


@frozen(eq=False)
class Book:
    """A system with the settling's own memory as fields: `by:A` (action A takes part in this settling), `acted:D`,
    and `was:F`: the venue's field F as it was when the settling began."""

    system: ir.System
    written: frozenset[str]

    @staticmethod
    def of(system: ir.System) -> Book:
        from specforge.engines.encoding import written_fields

        ghosts: dict[str, ir.Field] = {}
        listened = {name for duty in system.duties.values() for name in duty.after}
        after = {c.moment.name for c in system.claims.values() if isinstance(c.moment, ir.After) and not c.moment.duty}
        for name in sorted(listened | after):
            ghosts[f"by:{name}"] = ir.Field(f"by:{name}", ir.RULES, ir.Flag(), ir.Kind.PLAIN, start=ir.NO)
        for duty in system.duties.values():
            if duty.once and len(duty.params) <= 1:
                party = duty.params[0].type.party if duty.params else ir.RULES  # type: ignore[union-attr]
                ghosts[f"acted:{duty.name}"] = ir.Field(f"acted:{duty.name}", party, ir.Flag(), ir.Kind.PLAIN, start=ir.NO)
        for action in system.actions.values():
            if action.name in listened:
                for node in ir.walk(action.body):
                    if isinstance(node, ir.Set) and isinstance(node.place.member, ir.Lit) and node.place.index is None:
                        each = system.fields[node.place.field]
                        ghosts[f"was:{each.name}"] = evolve(each, name=f"was:{each.name}", kind=ir.Kind.PLAIN)
        written = frozenset({*written_fields(system), *ghosts})
        return Book(evolve(system, fields={**system.fields, **ghosts}), written)

    def listening(self, took: set[str]) -> list[ir.Duty]:
        return [duty for duty in self.system.duties.values() if not duty.after or took & set(duty.after)]

    def is_rigid(self, expr: ir.Expr) -> bool:
        return all(node.field not in self.written for node in ir.walk(expr) if isinstance(node, ir.Read))

    def rest_fact(self, duty: ir.Duty) -> ir.Expr | None:
        """At rest: whoever the duty listens for and has not acted for is not due.  None if that cannot be said."""
        if duty.once and len(duty.params) > 1:
            return None
        parts: list[ir.Expr] = []
        if duty.after:
            parts.append(no(self.listens(duty)))
        if duty.once:
            who = ir.Var(duty.params[0].name) if duty.params else RULES_MEMBER
            parts.append(ir.Read(f"acted:{duty.name}", who))
        parts.append(no(duty.when))
        fact: ir.Expr = ir.Op(ir.Operator.OR, tuple(parts)) if len(parts) > 1 else parts[0]
        for param in reversed(duty.params):
            fact = ir.Fold(ir.Folding.ALL, param.name, param.type.party, ir.YES, fact)  # type: ignore[union-attr]
        return fact

    def listens(self, duty: ir.Duty) -> ir.Expr:
        flags = tuple(ir.Read(f"by:{name}", RULES_MEMBER) for name in duty.after)
        return ir.Op(ir.Operator.OR, flags) if len(flags) > 1 else flags[0] if flags else ir.YES


def no(expr: ir.Expr) -> ir.Expr:
    return ir.Op(ir.Operator.NOT, (expr,))


@frozen
class Case:
    """`kind`: the start, a rest, an action or a duty; `members`: which member each argument is (a number, per party);
    `named`: how many members of each open party that names; `fixed`: the parameters that are members, per value."""

    kind: Literal["start", "rest", "action", "duty"]
    rule: str
    members: tuple[tuple[str, int], ...]
    named: tuple[tuple[str, int], ...]
    fixed: tuple[tuple[str, int], ...] = ()
    then: str = ""  # the one duty that follows the action, if it is due

    def text(self) -> str:
        args = ", ".join(f"{name}={index}" for name, index in self.members)
        rest = "".join(f" [{name}={value}]" for name, value in self.fixed)
        return (f"{self.rule}({args})" if self.rule else self.kind) + (f" then {self.then}" if self.then else "") + rest


def all_fixed(system: ir.System) -> list[tuple[tuple[str, int], ...]]:
    """Every choice of the parameters that are members of a closed list."""
    result: list[tuple[tuple[str, int], ...]] = [()]
    for each in system.parameters():
        if isinstance(each.type, ir.Of):
            count = len(system.parties[each.type.party].members or ())
            result = [(*fixed, (each.name, k)) for fixed in result for k in range(count)]
    return result


def all_cases(book: Book) -> list[Case]:
    """Everything that may happen, and every way its members may coincide."""
    system = book.system
    base = {party.name: len(party.named) for party in system.open_parties()}
    cases = []
    for fixed in all_fixed(system):
        still = tuple(base.items())
        cases += [Case("start", "", (), still, fixed), Case("rest", "", (), still, fixed)]
        for kind, rules in (("action", system.actions), ("duty", system.duties)):
            for rule in rules.values():
                if kind == "duty" or rule.open:  # type: ignore[union-attr]
                    for members, named in _coincidences(system, rule.params, base):
                        cases.append(Case(kind, rule.name, members, tuple(named.items()), fixed))  # type: ignore[arg-type]
    return cases


def _coincidences(
    system: ir.System, params: Sequence[ir.Argument], named: Mapping[str, int]
) -> Iterator[tuple[tuple[tuple[str, int], ...], dict[str, int]]]:
    if not params:
        yield (), dict(named)
        return
    first, rest = params[0], params[1:]
    if not isinstance(first.type, ir.Of):
        yield from _coincidences(system, rest, named)
        return
    party = system.parties[first.type.party]
    count = len(party.members) if party.members is not None else named[party.name] + 1
    for index in range(count):
        now = dict(named)
        if party.members is None:
            now[party.name] = max(now[party.name], index + 1)
        for members, final in _coincidences(system, rest, now):
            yield ((first.name, index), *members), final


@define(eq=False)
class Scene:
    """One transition as formulas, for given classes of the crowd.  `before`: the state before; the algebra holds the state after."""

    book: Book
    case: Case
    algebra: CrowdAlgebra
    evaluator: CrowdEvaluator
    env: dict[str, Any]
    before: dict[Any, Any] = field(factory=dict)
    assumed: list[tuple[str, Bool]] = field(factory=list)  # of actions, as they start
    hypotheses: list[Hypothesis] = field(factory=list)
    said: dict[tuple[str, str], list[Hypothesis]] = field(factory=dict)

    # -- what is said of a state

    def at(self, state: dict[Any, Any], run: Callable[[], Any], old: dict[Any, Any] | None = None) -> Any:
        algebra = self.algebra
        now, algebra.state, self.evaluator.old = algebra.state, state, old
        try:
            return run()
        finally:
            algebra.state = now

    def assume(self, source: str, expr: ir.Expr, state: dict[Any, Any], env: dict[str, Any] | None = None) -> None:
        facts = self.at(state, lambda: self.evaluator.assume(expr, env or {}))
        self.hypotheses += [Hypothesis(source, stage, fact) for stage, fact in facts if fact is not True]

    def show(self, expr: ir.Expr, env: dict[str, Any] | None = None) -> Bool:
        return self.at(self.algebra.state, lambda: self.evaluator.show(expr, env or {}), self.before)

    def question(self, goal: Bool) -> Question:
        algebra = self.algebra
        plain = [*algebra.facts[0], *algebra.conditions]
        return Question((plain, list(algebra.facts[1]), list(algebra.facts[2])), list(self.hypotheses), goal)

    @property
    def impossible(self) -> bool:
        return any(each is False for each in (*self.algebra.conditions, *self.algebra.facts[0]))


def in_classes(build: Callable[[dict[str, list[Virtual]]], Any], parties: Sequence[str], limit: int = CLASS_LIMIT) -> Any:
    """`build`, run again with a class cut in two whenever it asks what a class has not answered."""
    crowd = {party: [Virtual(party, f"{party}~0")] for party in parties}
    number = 1
    while True:
        try:
            return build(crowd)
        except Split as split:
            classes = crowd[split.virtual.party]
            at = next(k for k, each in enumerate(classes) if each is split.virtual)
            classes[at : at + 1] = split.virtual.cut(split.question, number)
            number += 2
            if len(classes) > limit:
                raise NotAdditive("too many different conditions on the members of the crowd") from None


def begin(
    book: Book,
    case: Case,
    extra: Mapping[str, int],
    crowd: dict[str, list[Virtual]],
    assumptions: Mapping[str, list[ir.Assumption]],
    coarse: bool = False,
) -> Scene:
    """The state before the transition (or the start), then the transition itself."""
    system = book.system
    counts = {party.name: len(party.members) for party in system.parties.values() if party.members is not None}
    counts |= {name: count + extra.get(name, 0) for name, count in case.named} | {ir.RULES: 1}
    algebra = CrowdAlgebra(counts, crowd)
    evaluator = CrowdEvaluator(system, algebra, coarse)
    scene = Scene(book, case, algebra, evaluator, {})
    _signs(scene)
    if case.kind == "start":
        _start(scene)
    else:
        for each in system.fields.values():
            for member in algebra.members(each.party):
                for index in range(counts[each.per]) if each.per else range(1):
                    algebra.state[each.name, member, index] = _unknown(scene, each, member, index)
    _bounds(scene)
    _classes(scene)
    scene.before = dict(algebra.state)
    if case.kind in ("action", "duty"):
        _happen(scene, assumptions)
    _class_facts(scene)
    return scene


def _signs(scene: Scene) -> None:
    """Which unknowns are never below zero, by their declared bounds."""
    for each in scene.book.system.fields.values():
        low = each.low
        if low is None and each.kind in (ir.Kind.BALANCE, ir.Kind.HOUSE):
            low = ir.ZERO
        if isinstance(low, ir.Lit) and low.value >= 0:  # type: ignore[operator]
            for member in scene.algebra.members(each.party):
                for index in range(scene.algebra.named[each.per]) if each.per else range(1):
                    if isinstance(member, Virtual):
                        scene.algebra.own_signs.add((each.party, (each.name, index)))
                    else:
                        atom = po.Atom(z3.Real(_name(each, member, index)))
                        scene.algebra.known_signs.add(atom.id)
                        KEPT.append(atom)


KEPT: list[po.Atom] = []  # INVARIANT: the solver must not give an atom's number to another term


def _name(each: ir.Field, member: Any, index: int) -> str:
    return f"{each.name}:{member}:{index}"


def _unknown(scene: Scene, each: ir.Field, member: Any, index: int) -> Any:
    case, system = scene.case, scene.book.system
    if isinstance(member, Virtual):
        if isinstance(each.type, ir.Number):
            return Own(member, {(each.name, index): po.ONE})
        if isinstance(each.type, ir.Flag):
            return FlagCond(member, ("flag", each.name, index))
        count = len(system.parties[each.type.party].members or ())
        return 0 if count == 1 else FlagCond(member, ("is", each.name, index, count))
    if isinstance(each.type, ir.Number):
        if each.kind is ir.Kind.PARAMETER and each.low is not None and each.low == each.high:
            return scene.evaluator.value(each.low, {"self": 0})
        return Poly.atom(z3.Real(_name(each, member, index)))
    if isinstance(each.type, ir.Flag):
        if each.kind is ir.Kind.PARAMETER and isinstance(each.low, ir.Lit):
            return each.low.value
        return z3.Bool(_name(each, member, index))
    fixed = dict(case.fixed).get(each.name)
    if fixed is not None:
        return fixed
    count = len(system.parties[each.type.party].members or ())
    if count == 1:
        return 0
    which = Sel(tuple(z3.Bool(f"{_name(each, member, index)}={k}") for k in range(count)))
    scene.algebra.facts[PLAIN].append(exactly_one(which.is_))
    return which


def _start(scene: Scene) -> None:
    """The first state: parameters anywhere within their bounds, fields as declared, holdings the sum of the accounts."""
    algebra, system = scene.algebra, scene.book.system
    named = {
        (place.field, at, place.index.value.index if isinstance(place.index, ir.Lit) else 0): start  # type: ignore[union-attr]
        for party in system.open_parties()
        for at, each in enumerate(party.named)
        for place, start in each.starts
    }
    houses: dict[str, Poly] = {}
    for each in sorted(system.fields.values(), key=lambda each: each.kind is not ir.Kind.PARAMETER):
        if each.kind is ir.Kind.HOUSE:
            houses.setdefault(each.name, po.ZERO)
            continue
        free = each.kind is ir.Kind.PARAMETER
        for member in algebra.members(each.party):
            for index in range(algebra.named[each.per]) if each.per else range(1):
                cell = (each.name, member, index)
                start = named.get(cell, None if free else each.start)
                if start is not None:
                    value = scene.evaluator.value(start, {"self": member})
                    if isinstance(member, Virtual) and isinstance(value, Poly):
                        value = algebra.lift(value, member)
                elif each.kind is ir.Kind.NET:
                    value = po.ZERO if not isinstance(member, Virtual) else Own(member, {})
                else:
                    value = _unknown(scene, each, member, index)
                algebra.state[cell] = value
                if each.kind in (ir.Kind.BALANCE, ir.Kind.NET):
                    house = ir.holdings_field(each.house, each.asset)
                    part = value.total() if isinstance(value, Own) else value
                    houses[house] = houses.get(house, po.ZERO) + part
    for house, total in houses.items():
        algebra.state[house, 0, 0] = total


def _bounds(scene: Scene) -> None:
    """Declared bounds and floors hold in every state of a run that meets no defect."""
    algebra = scene.algebra
    for each in scene.book.system.fields.values():
        for member in algebra.members(each.party):
            for index in range(algebra.named[each.per]) if each.per else range(1):
                if isinstance(each.type, ir.Number):
                    for cond in scene.evaluator.within_bounds(each, member, index if each.per else None):
                        for stage, fact in algebra.consequences(cond):
                            if fact is not True:
                                algebra.facts[stage].append(fact)


def _classes(scene: Scene) -> None:
    for classes in scene.algebra.crowd.values():
        for each in classes:
            head = each.sum(("",)).term()
            scene.algebra.facts[PLAIN].append(head >= 0)
            scene.algebra.facts[STRICT].append(disj((head == 0, head >= 1)))


def _class_facts(scene: Scene) -> None:
    """What its answers say of a class: signs of its sums; and that the sums of nobody are 0."""
    algebra = scene.algebra
    for classes in algebra.crowd.values():
        for each in classes:
            atoms: set[Any] = {(f.name, i) for f in scene.book.system.fields.values() if f.party == each.party
                               and isinstance(f.type, ir.Number) for i in (range(algebra.named[f.per]) if f.per else range(1))}  # fmt: skip
            for question, answer in each.answers.items():
                if question[0] == "positive":
                    own = Own(each, {atom: Poly(dict(parts)) for atom, parts in question[1]})
                    atoms |= {atom for atom in own.parts if atom[0] == "share"}
                    cond = Cond(own, ">")
                    for stage, fact in algebra.consequences(cond if answer else cond.negated()):
                        algebra.facts[stage].append(fact)
            zero = conj(each.sum(atom).term() == 0 for atom in sorted(atoms, key=str))
            algebra.facts[STRICT].append(implies(each.empty, zero))


def _happen(scene: Scene, assumptions: Mapping[str, list[ir.Assumption]]) -> None:
    algebra, evaluator, system, case = scene.algebra, scene.evaluator, scene.book.system, scene.case
    duty = case.kind == "duty"
    rule: ir.Action | ir.Duty = system.duties[case.rule] if duty else system.actions[case.rule]
    args: list[Any] = []
    for param in rule.params:
        if isinstance(param.type, ir.Of):
            args.append(dict(case.members)[param.name])
        else:
            number = isinstance(param.type, ir.Number)
            args.append(Poly.atom(z3.Real(f"arg:{param.name}")) if number else z3.Bool(f"arg:{param.name}"))
    scene.env = {param.name: arg for param, arg in zip(rule.params, args, strict=True)}

    def on_took(action: str, values: tuple[Any, ...]) -> None:
        for each in assumptions.get(action, ()):
            env = dict(zip(each.params, values, strict=False))
            guard, cond = algebra._guard(), each.cond
            facts, defined = evaluator._apart(lambda: evaluator._says(cond, env, True).all_facts())
            scene.hypotheses += [
                Hypothesis(f"assumption {each.name}", stage, implies(conj((guard, defined)), fact)) for stage, fact in facts
            ]

    algebra.on_took = on_took
    if duty:
        assert isinstance(rule, ir.Duty)
        for name, expr in (("listens", scene.book.listens(rule)), ("when", rule.when)):
            cond = evaluator.value(expr, scene.env)
            algebra.conditions.append(algebra.decide(cond))
            del name
        if f"acted:{rule.name}" in system.fields:
            who = scene.env[rule.params[0].name] if rule.params else 0
            algebra.conditions.append(negate(algebra.state[f"acted:{rule.name}", who, 0]))
            algebra.state[f"acted:{rule.name}", who, 0] = True
    else:
        algebra.took(rule.name, tuple(args))
    evaluator.in_duty = duty
    evaluator.execute(rule.body, scene.env)
    algebra.on_took = None
    if case.then:
        after = system.duties[case.then]
        evaluator.in_duty = True
        algebra.branch(evaluator.value(after.when, {}), lambda: evaluator.execute(after.body, {}), lambda: None)
    for name, each in system.fields.items():
        kind, _, of = name.partition(":")
        if kind == "by":
            now = disj(guard for guard, action, _ in algebra.taken if action == of)
            algebra.state[name, 0, 0] = disj((algebra.state[name, 0, 0], now)) if duty else now
        elif kind == "was" and not duty:
            for member in range(algebra.named[each.party]):
                algebra.state[name, member, 0] = scene.before[of, member, 0]
        elif kind == "acted" and not duty:
            for member in algebra.members(each.party):
                algebra.state[name, member, 0] = False
