"""Every way a rulebook's state can begin or change, with the members a rule names explicit and all others a crowd.

A transition is an action's body or one firing of a duty (engines/cases.py lists them).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from attrs import field

from specforge.algebra import laws
from specforge.algebra import polynomial as po
from specforge.algebra.classes import CLASS_LIMIT, HEAD, PLAIN, STRICT, Cond, FlagCond, NotAdditive, Own, Split, Virtual
from specforge.algebra.crowd import CrowdAlgebra, Owed
from specforge.algebra.judging import CrowdEvaluator
from specforge.algebra.obligation import Desk, Hypothesis, Question, holds_in
from specforge.algebra.polynomial import Poly
from specforge.algebra.solver import exactly_one, new_flag, new_real
from specforge.algebra.symbolic import Sel, disj, implies, negate
from specforge.core import ir
from specforge.diagnostics.source import Span
from specforge.engines.cases import Book, Case
from specforge.engines.shapes import never_below_zero
from specforge.records import define, frozen

Bool = Any


@frozen(eq=False)
class Breach:
    """A state and a step in which all that was known held.  `known`: how many conditions and facts that were
    (CrowdAlgebra.known); `layer`: the guesses that were assumed to hold, of which there may be fewer by now, but none more."""

    model: Any
    known: tuple[int, int, int, int]
    layer: int


MANY = 8  # breaches that are worth remembering


@define(eq=False)
class Scene:
    """One transition as formulas, for given classes of the crowd.  `before`: the state before; the algebra has the next."""

    book: Book
    case: Case
    algebra: CrowdAlgebra
    evaluator: CrowdEvaluator
    env: dict[str, Any]
    before: dict[Any, Any] = field(factory=dict)
    hypotheses: list[Hypothesis] = field(factory=list)
    said: dict[tuple[str, str], list[Hypothesis]] = field(factory=dict)
    desk: Desk = field(factory=Desk)
    desk_before: Desk = field(init=False)  # for what is asked from less than all that is known
    breaches: list[Breach] = field(factory=list)  # the latest first
    happened: tuple[int, int, int] = (0, 0, 0)  # how many facts of each stage are about what happens; the others, about classes

    def __attrs_post_init__(self) -> None:
        self.desk_before = Desk(self.desk.of_crowd, self.desk.asked)

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
        said = [*algebra.facts[0].sentences, *algebra.conditions.sentences]
        sentences = (said, list(algebra.facts[1].sentences), list(algebra.facts[2].sentences))
        made = Question((plain, list(algebra.facts[1]), list(algebra.facts[2])), list(self.hypotheses), goal, sentences)
        made.desk = self.desk
        return made

    def remember(self, model: Any, layer: int) -> None:
        """The counterexample to one guess may be one to the next."""
        self.breaches.insert(0, Breach(model, self.algebra.known(), layer))
        del self.breaches[MANY:]

    def is_broken(self, goal: Bool, layer: int) -> bool:
        """Does one of the steps that are remembered break it?"""
        wrong, known = negate(goal), (self.algebra.conditions, *self.algebra.facts)
        for each in self.breaches:
            if each.layer == layer and holds_in(each.model, wrong):
                new = [fact for facts, count in zip(known, each.known, strict=True) for fact in facts[count:]]
                if all(holds_in(each.model, fact) for fact in new):
                    return True
        return False

    def before_it(self, owed: Owed) -> Question | None:
        """That it does not go wrong, from what was known by then.  None: it plainly cannot."""
        return self._from(owed.known, negate(owed.wrong))

    def but_for(self, guard: int, goal: Bool) -> Question | None:
        """The goal, from what is asked before the state changes, but for the guard (a condition, by its position)."""
        algebra = self.algebra
        end = (len(algebra.conditions), *self.happened)
        before = next((each for each in algebra.changes if each[0] > guard), end)
        others = {at for at, _ in algebra.guarded if guard < at < before[0]}
        return self._from(before, goal, {*range(guard), *others})

    def _from(self, before: tuple[int, int, int, int], goal: Bool, only: set[int] | None = None) -> Question | None:
        """The goal, from so many conditions and facts.  None: they exclude each other plainly."""
        algebra = self.algebra
        conditions, *facts = before
        stages = zip(algebra.facts, facts, self.happened, strict=True)
        known = [[*stage[:count], *stage[happened:]] for stage, count, happened in stages]
        known[PLAIN] += [each for at, each in enumerate(algebra.conditions[:conditions]) if only is None or at in only]
        if any(each is False for each in known[PLAIN]):
            return None
        made = Question((known[0], known[1], known[2]), list(self.hypotheses), goal)
        made.desk = self.desk_before
        return made

    @property
    def impossible(self) -> bool:
        return any(each is False for each in (*self.algebra.conditions, *self.algebra.facts[0]))


Classes = dict[str, list[Virtual]]
CROWDED = "too many different conditions on the members of the crowd"


def in_classes(
    build: Callable[[Classes], Any], parties: Sequence[str], limit: int = CLASS_LIMIT, seed: Classes | None = None
) -> Any:
    """`build`, run again with a class cut in two whenever it asks what a class has not answered.  `seed`: classes to begin
    with, which may be finer than need be."""
    crowd = {party: [Virtual(party, f"{party}~0")] for party in parties}
    if seed is not None:
        crowd = {party: [Virtual(party, each.name, dict(each.answers)) for each in seed[party]] for party in parties}
    number = 1 + max((int(each.name.rpartition("~")[2]) for classes in crowd.values() for each in classes), default=0)
    while True:
        try:
            return build(crowd)
        except Split as first:
            for split in {id(each.virtual): each for each in reversed((first, *first.others))}.values():  # each class once
                classes = crowd[split.virtual.party]
                at = next(k for k, each in enumerate(classes) if each is split.virtual)
                classes[at : at + 1] = split.virtual.cut(split.question, number)
                number += 2
                if len(classes) > limit:
                    raise NotAdditive(CROWDED) from None


def begin(
    book: Book,
    case: Case,
    extra: Mapping[str, int],
    crowd: dict[str, list[Virtual]],
    assumptions: Mapping[str, list[ir.Assumption]],
    coarse: bool = False,
    splitting: bool = False,
    forgotten: frozenset[Span] = frozenset(),
) -> Scene:
    """The state before the transition (or the start), then the transition itself.  `splitting`: classes are cut for the sake
    of what is assumed of an action, too.  `forgotten`: statements whose amounts may be anything."""
    system = book.system
    counts = {party.name: len(party.members) for party in system.parties.values() if party.members is not None}
    counts |= {name: count + extra.get(name, 0) for name, count in case.named} | {ir.RULES: 1}
    algebra = CrowdAlgebra(counts, crowd)
    evaluator = CrowdEvaluator(system, algebra, coarse)
    algebra.forgotten = forgotten
    evaluator.anybody = frozenset((party, counts[party] - at) for party, more in extra.items() for at in range(1, more + 1))
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
        _happen(scene, assumptions, splitting)
    scene.happened = tuple(len(each) for each in algebra.facts)  # type: ignore[assignment]
    _class_facts(scene)
    return scene


def _signs(scene: Scene) -> None:
    """Which unknowns are never below zero, by their declared bounds."""
    for each in scene.book.system.fields.values():
        if never_below_zero(each):
            for member in scene.algebra.members(each.party):
                for index in range(scene.algebra.named[each.per]) if each.per else range(1):
                    if isinstance(member, Virtual):
                        scene.algebra.own_signs.add((each.party, (each.name, index)))
                    else:
                        atom = po.Atom(new_real(_name(each, member, index)))
                        scene.algebra.known_signs.add(atom.id)
                        KEPT.append(atom)


KEPT: list[po.Atom] = []  # INVARIANT: the solver must not give an atom's number to another term


def _name(each: ir.Field, member: Any, index: int) -> str:
    return f"{each.name}:{member}:{index}"


def _unknown(scene: Scene, each: ir.Field, member: Any, index: int) -> Any:
    case, system = scene.case, scene.book.system
    constant = _never_changed(scene, each, member)
    if constant is not None:
        value = scene.evaluator.value(constant, {})
        return scene.algebra.lift(value, member) if isinstance(member, Virtual) and isinstance(value, Poly) else value
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
        return Poly.atom(new_real(_name(each, member, index)))
    if isinstance(each.type, ir.Flag):
        if each.kind is ir.Kind.PARAMETER and each.low is not None and each.low == each.high:
            return scene.evaluator.value(each.low, {"self": 0})
        return new_flag(_name(each, member, index))
    fixed = dict(case.fixed).get(each.name)
    if fixed is not None:
        return fixed
    count = len(system.parties[each.type.party].members or ())
    if count == 1:
        return 0
    which = Sel(tuple(new_flag(f"{_name(each, member, index)}={k}") for k in range(count)))
    scene.algebra.facts[PLAIN].append(exactly_one(which.is_))
    return which


def _never_changed(scene: Scene, each: ir.Field, member: Any) -> ir.Lit | None:
    """What a field has from the start on, if no sentence ever changes it."""
    party = scene.book.system.parties.get(each.party)
    if each.kind is not ir.Kind.PLAIN or each.name in scene.book.written or party is None:
        return None
    start = each.start
    if party.members is None and not isinstance(member, Virtual) and member < len(party.named):
        start = dict((place.field, value) for place, value in party.named[member].starts).get(each.name, start)
    return start if isinstance(start, ir.Lit) and each.per is None else None


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
                start = named.get(cast(Any, cell), None if free else each.start)
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
                    with algebra.speaking(("field", each.name)):
                        for cond in scene.evaluator.within_bounds(each, member, index if each.per else None):
                            for stage, fact in algebra.consequences(cond):
                                if fact is not True:
                                    algebra.facts[stage].append(fact)


def _classes(scene: Scene) -> None:
    for classes in scene.algebra.crowd.values():
        for each in classes:
            not_negative, whole = laws.counted(each.sum(HEAD))
            scene.algebra.facts[PLAIN].append(not_negative)
            scene.algebra.facts[STRICT].append(whole)


def _class_facts(scene: Scene) -> None:
    """What its answers say of a class: signs of its sums; and that the sums of nobody are 0."""
    algebra = scene.algebra
    for classes in algebra.crowd.values():
        for each in classes:
            fields = [f for f in scene.book.system.fields.values() if f.party == each.party and isinstance(f.type, ir.Number)]
            atoms: set[Any] = {(f.name, i) for f in fields for i in (range(algebra.named[f.per]) if f.per else range(1))}
            for question, answer in each.answers.items():
                if question[0] == "positive":
                    own = Own(each, {atom: Poly(dict(parts)) for atom, parts in question[1]})
                    atoms |= {atom for atom in own.parts if atom[0] in ("share", "floor")}
                    cond = Cond(own, ">")
                    for stage, fact in algebra.consequences(cond if answer else cond.negated()):
                        algebra.facts[stage].append(fact)
            algebra.facts[STRICT].append(laws.nobody(each.sum(HEAD), map(each.sum, sorted(atoms, key=str))))


def _happen(scene: Scene, assumptions: Mapping[str, list[ir.Assumption]], splitting: bool) -> None:
    algebra, evaluator, system, case = scene.algebra, scene.evaluator, scene.book.system, scene.case
    duty = case.kind == "duty"
    rule: ir.Action | ir.Duty = system.duties[case.rule] if duty else system.actions[case.rule]
    args: list[Any] = []
    for param in rule.params:
        if isinstance(param.type, ir.Of):
            args.append(dict(case.members)[param.name])
        else:
            number = isinstance(param.type, ir.Number)
            args.append(Poly.atom(new_real(f"arg:{param.name}")) if number else new_flag(f"arg:{param.name}"))
    scene.env = {param.name: arg for param, arg in zip(rule.params, args, strict=True)}

    def on_took(action: str, values: tuple[Any, ...]) -> None:
        for each in assumptions.get(action, ()):
            evaluator.splitting = splitting
            guard, facts = algebra.guard(), evaluator.assume(each.cond, dict(zip(each.params, values, strict=False)))
            evaluator.splitting = False
            scene.hypotheses += [Hypothesis(f"assumption: {each.name}", stage, implies(guard, fact)) for stage, fact in facts]

    algebra.on_took = on_took
    if duty:
        assert isinstance(rule, ir.Duty)
        for name, expr in (("listens", scene.book.listens(rule)), ("when", rule.when)):
            cond = evaluator.value(expr, scene.env)
            with algebra.speaking((name, rule.name)):
                algebra.conditions.append(algebra.decide(cond))
        if f"acted:{rule.name}" in system.fields:
            who = scene.env[rule.params[0].name] if rule.params else 0
            algebra.conditions.append(negate(algebra.state[f"acted:{rule.name}", who, 0]))
            algebra.state[f"acted:{rule.name}", who, 0] = True
    else:
        algebra.took(rule.name, tuple(args))
    if isinstance(rule, ir.Duty) and rule.rank is not None:
        evaluator.value(rule.rank, scene.env)  # it must have a value
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
