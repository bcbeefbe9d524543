"""A rulebook with a fixed number of members as formulas: one for a step, others for what is looked for.

A run is one flat sequence of steps, each an action of the world or one firing of a duty: the world acts only at rest, a duty
fires only if no earlier one is due (LANGUAGE section 3).  The formulas speak of a state `s`, the next state `n` and the
step's own unknowns `w`; `Unrolling` (engines/bmc.py) writes them down once per step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any, cast

from attrs import field
from quicktions import Fraction

from specforge.algebra.exact import Cell
from specforge.algebra.solver import new_flag, renamed
from specforge.algebra.symbolic import (
    Demand,
    Num,
    Sel,
    Support,
    SymbolicAlgebra,
    as_term,
    cases,
    conj,
    disj,
    equal,
    exactly_one,
    implies,
    merge,
    negate,
    new_number,
    same,
    sum_of,
)
from specforge.core import ir
from specforge.core.evaluate import Evaluator
from specforge.core.machine import Members
from specforge.evidence.goal import (
    ClaimGoal,
    DefectGoal,
    Goal,
    ReachGoal,
    RuleGoal,
    action_assumptions,
    state_assumptions,
)
from specforge.records import define, frozen

Bool = Any
Values = dict[Cell, Any]


@frozen
class Grids:
    """The values that quantities of a unit may take while searching (a unit that is not listed: any value)."""

    values: dict[str, Support] = field(factory=dict)
    rate: Support | None = None

    def of(self, type: ir.Type) -> Support | None:
        return self.values.get(source_of(type)) if isinstance(type, ir.Number) else None


def source_of(type: ir.Type) -> str:
    """The kind of unknown a quantity of this type is: its unit."""
    return (type.text() or "number") if isinstance(type, ir.Number) else ""


@define(eq=False)
class Rule:
    """An action or a duty as formulas.  `do`: this rule is the step.  `args`: its arguments.  `ok`: nothing refuses it and no
    defect arises.  `changed`: the cells it may change, with their new values."""

    name: str
    duty: bool
    do: Bool
    args: tuple[Any, ...]
    enabled: Bool
    conditions: list[Bool]
    facts: list[Bool]
    demands: list[Demand]
    changed: Values
    shared: list[tuple[ir.Tier, tuple[int, ...], list[Any], list[Any]]]
    along: dict[int, Bool] = field(factory=dict)  # per goal: what is assumed of this step


@define(eq=False)
class Looked:
    """One goal as formulas over `s` (and, `on_step`, over `s`, `w` and `n`): `bad` where it is shown; `along` what must hold in
    every state of a run that counts."""

    goal: Goal
    bad: Bool
    on_step: bool
    along: list[Bool]
    along_step: list[Bool]


class Encoding:
    """The formulas of `system` with `sizes` members, numbers restricted to `grids`, for `goals`; `only`: the actions that the
    world may take (None: all); `fixed`: what cells of the start are (parameters, as a rule), where a search wants that;
    `never`: duties that are not to become due; `naming`: numbers that may be many things get a name (for proofs, not for
    long searches)."""

    def __init__(
        self,
        system: ir.System,
        sizes: Mapping[str, int],
        grids: Grids,
        goals: Sequence[Goal],
        only: frozenset[str] | None = None,
        fixed: Mapping[Cell, Any] | None = None,
        never: frozenset[str] = frozenset(),
        naming: bool = False,
    ):
        self.naming = naming
        self.system, self.grids, self.goals = system, grids, list(goals)
        self.only, self.fixed, self.never = only, dict(fixed or {}), never
        self.products_in: dict[str, set[tuple[frozenset[str], frozenset[str]]]] = {}
        self.sizes = {ir.RULES: 1} | {
            name: len(p.members) if p.members is not None else sizes.get(name, 0) for name, p in system.parties.items()
        }
        self.algebra = SymbolicAlgebra(self.sizes, rate_grid=grids.rate)
        self.evaluator = Evaluator(system, self.algebra)
        self.products: list[tuple[frozenset[str], frozenset[str]]] = self.algebra.products
        written = written_fields(system)
        self.mutable = [f for f in system.fields.values() if f.name in written]
        self.rigid_facts: list[Bool] = []
        self.initial: Values = {}
        self.rigid: Values = {}
        self._start(written)
        self.formal: Values = {}  # the state `s`
        self._formals()
        self.next: Values = {cell: clone(value, "'") for cell, value in self.formal.items()}
        self.pool: dict[tuple[str, int], Any] = {}
        self.step_facts: list[Bool] = []
        self.rest_conditions: list[Bool] = []
        self.rest_demands: list[Demand] = []
        self.due: dict[str, dict[Members, Bool]] = {}
        self._duties_due()
        self.rest = conj(negate(each) for table in self.due.values() for each in table.values())
        self.rules: list[Rule] = []
        self._rules()
        self.step: list[Bool] = self._step()
        self.looked = [self._look(at, goal) for at, goal in enumerate(self.goals)]

    # ------------------------------------------------------------ states

    def cells(self, each: ir.Field) -> list[Cell]:
        indexes = range(self.sizes[each.per]) if each.per else range(1)
        return [(each.name, member, index) for member, index in product(range(self.sizes[each.party]), indexes)]

    def _new(self, name: str, type: ir.Type, values: Support | None) -> Any:
        """A value made of fresh constants of that name."""
        if isinstance(type, ir.Flag):
            return new_flag(name)
        if isinstance(type, ir.Of):
            count = self.sizes[type.party]
            return 0 if count == 1 else Sel(tuple(new_flag(f"{name}={k}") for k in range(count)))
        return new_number(name, values, frozenset((source_of(type),)))

    def _facts_of(self, value: Any) -> list[Bool]:
        if isinstance(value, Sel):
            return [exactly_one(value.is_)]
        if isinstance(value, Num) and value.cases is not None:
            return [exactly_one([cond for _, cond in value.cases])]
        return []

    def _start(self, written: set[str]) -> None:
        """The first state: what is fixed by the text is a constant, the rest is unknown within its bounds."""
        algebra, system = self.algebra, self.system
        state: Values = algebra.state
        houses: dict[str, Any] = {}
        named = {
            (place.field, at, place.index.value.index if isinstance(place.index, ir.Lit) else 0): start  # type: ignore[union-attr]
            for party in system.open_parties()
            for at, each in enumerate(party.named)
            for place, start in each.starts
        }
        unknown: list[Any] = []
        ordered = sorted(system.fields.values(), key=lambda each: each.kind is not ir.Kind.PARAMETER)
        for each in ordered:
            if each.kind is ir.Kind.HOUSE:
                houses.setdefault(each.name, Fraction(0))
                continue
            free = each.kind is ir.Kind.PARAMETER and (each.low is None or each.low != each.high)
            for cell in self.cells(each):
                start = named.get(cell, None if free else each.start)
                if cell in self.fixed:
                    state[cell] = self.fixed[cell]
                elif start is not None:
                    state[cell] = self.evaluator.value(start, {"self": cell[1]})
                elif each.kind is ir.Kind.NET:
                    state[cell] = Fraction(0)
                else:
                    state[cell] = self._new(_name("start", cell), each.type, self.grids.of(each.type))
                    unknown.append(state[cell])
                if each.kind in (ir.Kind.BALANCE, ir.Kind.NET):
                    house = ir.holdings_field(each.house, each.asset)
                    houses[house] = algebra.apply(ir.Operator.ADD, houses.get(house, Fraction(0)), state[cell])
        for house, total in houses.items():
            state[house, 0, 0] = total
        for value in unknown:
            self.rigid_facts += self._facts_of(value)
        for each in ordered:
            for _, member, index in self.cells(each):
                self.rigid_facts += self.evaluator.within_bounds(each, member, index if each.per else None)
        self.rigid_facts += algebra.conditions + algebra.facts
        self.start_state = dict(state)
        for cell, value in state.items():
            (self.initial if cell[0] in written else self.rigid)[cell] = value

    def _formals(self) -> None:
        for each in self.mutable:
            for cell in self.cells(each):
                self.formal[cell] = self._new(_name("s", cell), each.type, self.grids.of(each.type))
        flag = ir.Flag()
        listened = {name for duty in self.system.duties.values() for name in duty.after}
        for goal in self.goals:
            if isinstance(goal, ClaimGoal) and isinstance(goal.claim.moment, ir.After) and not goal.claim.moment.duty:
                self._extra((f"after:{goal.claim.moment.name}", 0, 0), flag, False)
                self._ghosts(goal.claim, goal.claim.moment)
        for name in sorted(listened):
            self._extra((f"by:{name}", 0, 0), flag, False)
        for duty in self.system.duties.values():
            if duty.once:
                for at, _ in enumerate(self._tuples(duty)):
                    self._extra((f"acted:{duty.name}", at, 0), flag, False)
        for party in self.system.open_parties():
            for k in range(len(party.named), self.sizes[party.name]):
                self._extra((f"touched:{party.name}", k, 0), flag, False)

    def _ghosts(self, claim: ir.Claim, moment: ir.After) -> None:
        """For a claim after an action: what the claim calls old, and the action's arguments."""
        old = (inner for node in ir.walk(claim.cond) if isinstance(node, ir.Old) for inner in ir.walk(node.body))
        for name in dict.fromkeys(inner.field for inner in old if isinstance(inner, ir.Read)):
            each = self.system.fields[name]
            for cell in self.cells(each):
                if cell in self.formal:
                    self._extra((f"old:{moment.name}:{cell[0]}", cell[1], cell[2]), each.type, self.initial[cell])
        for param in self.system.actions[moment.name].params[: len(moment.params)]:
            start = {ir.Number: Fraction(0), ir.Flag: False, ir.Of: 0}[type(param.type)]
            self._extra((f"arg:{moment.name}:{param.name}", 0, 0), param.type, start)

    def _extra(self, cell: Cell, type: ir.Type, start: Any) -> None:
        if cell not in self.formal:
            self.formal[cell] = self._new(_name("s", cell), type, self.grids.of(type))
            self.initial[cell] = start

    def state(self) -> Values:
        return {**self.rigid, **self.formal}

    def _tuples(self, duty: ir.Duty) -> list[Members]:
        return list(product(*(range(self.sizes[p.type.party]) for p in duty.params)))  # type: ignore[union-attr]

    # ------------------------------------------------------------ duties

    def _evaluate(self, expr: ir.Expr, env: dict[str, Any], state: Values, old: Values | None = None) -> tuple[Any, list[Bool]]:
        """The value of a pure expression, and the conditions under which it is defined."""
        algebra = self.algebra
        algebra.state, algebra.conditions, algebra.demands, algebra.guards = dict(state), [], [], []
        self.evaluator.old = old
        value = self.evaluator.value(expr, env)
        return value, algebra.conditions

    def listens(self, duty: ir.Duty) -> Bool:
        return disj(self.formal[f"by:{name}", 0, 0] for name in duty.after) if duty.after else True

    def _duties_due(self) -> None:
        """For each duty and each member: it is due, nobody's earlier duty is, and nobody has a better rank."""
        earlier: Bool = True
        for duty in self.system.duties.values():
            listens = conj((self.listens(duty), earlier))
            table: dict[Members, Bool] = {}
            for at, members in enumerate(self._tuples(duty)):
                env = dict(zip([p.name for p in duty.params], members, strict=True))
                when, conditions = self._evaluate(duty.when, env, self.state())
                self.rest_conditions += [implies(listens, each) for each in conditions]
                for demand in self.algebra.demands:
                    self.rest_demands.append(Demand(conj((listens, demand.broken)), demand.defect, demand.span, 0))
                fresh = negate(self.formal[f"acted:{duty.name}", at, 0]) if duty.once else True
                table[members] = conj((self.listens(duty), fresh, when))
            self.due[duty.name] = table
            earlier = conj((earlier, *(negate(each) for each in table.values())))

    def _best(self, duty: ir.Duty, table: dict[Members, Bool], earlier: Bool) -> dict[Members, Bool]:
        """Who may be next: due, with the best rank.  `earlier`: no earlier duty is due."""
        if duty.rank is None or len(table) < 2:
            return table
        ranks: dict[Members, Any] = {}
        for members in table:
            env = dict(zip([p.name for p in duty.params], members, strict=True))
            ranks[members], conditions = self._evaluate(duty.rank, env, self.state())
            rivals = disj(due for other, due in table.items() if other != members)
            asked = conj((earlier, table[members], rivals))  # somebody who is alone is not ranked
            self.rest_conditions += [implies(asked, each) for each in conditions]
            for demand in self.algebra.demands:
                self.rest_demands.append(Demand(conj((asked, demand.broken)), demand.defect, demand.span, 0))
        result = {}
        for members, due in table.items():
            others = []
            for rival, also in table.items():
                if rival != members:
                    a, b = (ranks[rival], ranks[members]) if duty.highest else (ranks[members], ranks[rival])
                    others.append(implies(also, self.algebra.apply(ir.Operator.LE, a, b)))
            result[members] = conj((due, *others))
        return result

    # ------------------------------------------------------------ rules

    def _pooled(self, type: ir.Type, counts: dict[str, int]) -> Any:
        """An argument; actions share them, since only one of them is taken."""
        key = repr(type) if not isinstance(type, ir.Number) else source_of(type)
        counts[key] = counts.get(key, 0) + 1
        name = (key, counts[key])
        if name not in self.pool:
            self.pool[name] = self._new(f"w:{key}{counts[key]}", type, self.grids.of(type))
            self.step_facts += self._facts_of(self.pool[name])
        return self.pool[name]

    def _rules(self) -> None:
        earlier: Bool = True
        for duty in self.system.duties.values():
            counts: dict[str, int] = {}
            args = tuple(self._pooled(param.type, counts) for param in duty.params)
            best = self._best(duty, self.due[duty.name], earlier)
            mine = disj(
                conj((due, *(equal(arg, k) for arg, k in zip(args, members, strict=True)))) for members, due in best.items()
            )
            if duty.name not in self.never:
                self._rule(duty, True, args, conj((earlier, mine)))
            earlier = conj((earlier, *(negate(each) for each in self.due[duty.name].values())))
        for action in self.system.actions.values():
            if action.open and (self.only is None or action.name in self.only):
                counts = {}
                args = tuple(self._pooled(param.type, counts) for param in action.params)
                self._rule(action, False, args, self.rest)

    def _rule(self, rule: ir.Action | ir.Duty, duty: bool, args: tuple[Any, ...], enabled: Bool) -> None:
        algebra = self.algebra
        algebra.state, algebra.conditions, algebra.facts, algebra.demands = self.state(), [], [], []
        algebra.guards, algebra.taken, algebra.shared, algebra.cells = [], [], [], set()
        assumed: dict[int, list[Bool]] = {}

        def on_took(action: str, values: tuple[Any, ...]) -> None:
            for at, goal in enumerate(self.goals):
                for each in action_assumptions(self.system, goal).get(action, ()):
                    rule_own = algebra.conditions, algebra.demands  # what is assumed may have no value; that is no defect
                    algebra.conditions, algebra.demands = [], []
                    cond = self.evaluator.value(each.cond, dict(zip(each.params, values, strict=False)))
                    assumed.setdefault(at, []).append(implies(conj(algebra.guards), conj((*algebra.conditions, cond))))
                    algebra.conditions, algebra.demands = rule_own

        multiplied = len(self.products)
        algebra.on_took, algebra.naming = on_took, self.naming
        algebra.prefix = f"w:{rule.name}:"
        if not duty:
            algebra.took(rule.name, args)
        self.evaluator.in_duty = duty
        self.evaluator.execute(rule.body, {param.name: arg for param, arg in zip(rule.params, args, strict=True)})
        algebra.on_took, algebra.prefix, algebra.naming = None, "", False
        self.products_in[rule.name] = set(self.products[multiplied:])
        changed = {cell: algebra.state[cell] for cell in algebra.cells if algebra.state[cell] is not self.formal[cell]}
        made = Rule(
            rule.name, duty, new_flag(f"w:do:{rule.name}"), args, enabled, algebra.conditions, algebra.facts, algebra.demands,
            changed, algebra.shared, {at: conj(conds) for at, conds in assumed.items()},
        )  # fmt: skip
        self._bookkeeping(made, rule, algebra.taken)
        self.rules.append(made)

    def _bookkeeping(self, made: Rule, rule: ir.Action | ir.Duty, taken: list[tuple[Bool, str, tuple[Any, ...]]]) -> None:
        """What the step does to the settling: which actions took part, who has acted, what is old, who was named."""
        changed = made.changed
        for cell in self.formal:
            kind, _, name = cell[0].partition(":")
            if kind == "by":
                now = disj(guard for guard, action, _ in taken if action == name)
                changed[cell] = disj((self.formal[cell], now)) if made.duty else now
            elif kind == "after" and not made.duty:  # a claim is about what the world did, or called
                changed[cell] = disj(guard for guard, action, _ in taken if action == name)
            elif kind == "acted" and not made.duty:
                changed[cell] = False
            elif kind == "acted" and name == rule.name:
                members = self._tuples(rule)[cell[1]]  # type: ignore[arg-type]
                this = conj(equal(arg, k) for arg, k in zip(made.args, members, strict=True))
                changed[cell] = disj((self.formal[cell], this))
            elif kind in ("old", "arg") and not made.duty:
                action, _, what = name.partition(":")
                for guard, taking, values in taken:
                    if taking == action:
                        if kind == "old":
                            new = self.state()[what, cell[1], cell[2]]
                        else:
                            params = [p.name for p in self.system.actions[action].params]
                            new = values[params.index(what)]
                        changed[cell] = merge(guard, new, changed.get(cell, self.formal[cell]))
            elif kind == "touched" and not made.duty:
                mine = [
                    equal(arg, cell[1])
                    for arg, param in zip(made.args, rule.params, strict=True)
                    if isinstance(param.type, ir.Of) and param.type.party == name
                ]
                changed[cell] = disj((self.formal[cell], *mine))
        if not made.duty:
            made.facts.extend(self._in_order(made, rule))

    def _in_order(self, made: Rule, rule: ir.Action | ir.Duty) -> list[Bool]:
        """Members are interchangeable: the world names them first in the order of their positions."""
        facts: list[Bool] = []
        named: dict[str, list[Any]] = {}
        for arg, param in zip(made.args, rule.params, strict=True):
            if isinstance(param.type, ir.Of) and self.system.parties[param.type.party].members is None:
                party = self.system.parties[param.type.party]
                before = named.setdefault(party.name, [])
                for k in range(len(party.named) + 1, self.sizes[party.name]):
                    known = disj((self.formal[f"touched:{party.name}", k - 1, 0], *(equal(each, k - 1) for each in before)))
                    facts.append(implies(equal(arg, k), known))
                before.append(arg)
        return facts

    def _step(self) -> list[Bool]:
        facts = [*self.step_facts, exactly_one([rule.do for rule in self.rules]), *self.rest_conditions]
        for rule in self.rules:
            facts.append(implies(rule.do, conj((rule.enabled, *rule.conditions, *rule.facts))))
        for cell, old in self.formal.items():
            new, writing = self.next[cell], [rule for rule in self.rules if cell in rule.changed]
            facts += [implies(rule.do, same(new, rule.changed[cell])) for rule in writing]
            facts.append(disj((*(rule.do for rule in writing), same(new, old))))
            facts += self._facts_of(new)
        facts += self._conserved({**self.rigid, **self.next})
        return facts

    def _conserved(self, state: Values) -> list[Bool]:
        """Said for the solver's sake, where amounts are on a grid: a house holds what its accounts hold."""
        totals: dict[str, Any] = {}
        for each in self.system.fields.values():
            if each.kind in (ir.Kind.BALANCE, ir.Kind.NET) and self.grids.of(each.type) is not None:
                house = ir.holdings_field(each.house, each.asset)
                accounts = [state[cell] for cell in self.cells(each)]
                totals[house] = sum_of(self.algebra, [totals.get(house, Fraction(0)), *accounts])
        held = {house: state[house, 0, 0] for house in totals}
        return [equal(total, held[house]) for house, total in totals.items() if cases(total) and cases(held[house])]

    # ------------------------------------------------------------ what is looked for

    def _look(self, at: int, goal: Goal) -> Looked:
        if isinstance(goal, DefectGoal):
            return Looked(goal, self._defect(goal.defect), True, [], [])
        if isinstance(goal, RuleGoal):
            return Looked(goal, disj(rule.do for rule in self.rules if rule.name == goal.rule), True, [], [])
        state = self.state()
        assumed = conj(self._truth(cond, {}, state) for cond in state_assumptions(self.system, goal))
        settled = (self.rest, *self.rest_conditions)
        along = [implies(self.rest, assumed)]
        along_step = [implies(rule.do, rule.along[at]) for rule in self.rules if at in rule.along]
        if isinstance(goal, ReachGoal):
            return Looked(goal, conj((*settled, self._truth(goal.reach.cond, {}, state))), False, along, along_step)
        moment, cond = goal.claim.moment, goal.claim.cond
        if isinstance(moment, ir.EveryStep):
            return Looked(goal, self._fails(cond, {}, state), False, [assumed], along_step)
        if isinstance(moment, ir.AtRest):
            return Looked(goal, conj((*settled, assumed, self._fails(cond, {}, state))), False, along, along_step)
        if moment.duty:
            return self._look_after_duty(goal, moment, along, along_step)
        old = {**state}
        for cell, value in self.formal.items():
            if cell[0].startswith(f"old:{moment.name}:"):
                old[cell[0].removeprefix(f"old:{moment.name}:"), cell[1], cell[2]] = value
        params = self.system.actions[moment.name].params
        env = {mine: self.formal[f"arg:{moment.name}:{p.name}", 0, 0] for mine, p in zip(moment.params, params, strict=False)}
        by = self.formal[f"after:{moment.name}", 0, 0]
        bad = conj((*settled, by, assumed, self._fails(cond, env, state, old)))
        return Looked(goal, bad, False, along, along_step)

    def _look_after_duty(self, goal: ClaimGoal, moment: ir.After, along: list[Bool], along_step: list[Bool]) -> Looked:
        """Judged at once after each acting of the duty: over the state before, the step and the state after."""
        rule = next(each for each in self.rules if each.duty and each.name == moment.name)
        after = {**self.rigid, **self.next}
        env = dict(zip(moment.params, rule.args, strict=False))
        assumed = conj(self._truth(cond, {}, after) for cond in state_assumptions(self.system, goal))
        along_step = [*along_step, implies(rule.do, assumed)]
        bad = conj((rule.do, assumed, self._fails(goal.claim.cond, env, after, self.state())))
        return Looked(goal, bad, True, along, along_step)

    def _truth(self, cond: ir.Expr, env: dict[str, Any], state: Values) -> Bool:
        value, conditions = self._evaluate(cond, env, state)
        return conj((*conditions, value))

    def _fails(self, cond: ir.Expr, env: dict[str, Any], state: Values, old: Values | None = None) -> Bool:
        value, conditions = self._evaluate(cond, env, state, old)
        return conj((*conditions, negate(value)))

    def _defect(self, defect: ir.Defect) -> Bool:
        """Some step is taken in which this defect is the first thing to go wrong."""
        ways: list[Bool] = [each.broken for each in self.rest_demands if each.defect is defect]
        for rule in self.rules:
            broken = [
                conj((*rule.conditions[: each.before], each.broken)) for each in rule.demands if each.defect is defect
            ]
            if broken:
                ways.append(conj((rule.do, rule.enabled, *rule.facts, disj(broken))))
        return conj((*self.step_facts, exactly_one([rule.do for rule in self.rules]), disj(ways)))


def written_fields(system: ir.System) -> set[str]:
    """The fields that some rule may change."""
    written: set[str] = set()
    for rule in (*system.actions.values(), *system.duties.values()):
        for node in ir.walk(rule.body):
            if isinstance(node, ir.Set):
                written.add(node.place.field)
            elif isinstance(node, ir.Move):
                ends = [system.fields[place.field] for place in (node.source, node.target) if place is not None]
                written.update(end.name for end in ends)
                houses = {ir.holdings_field(end.house, end.asset) for end in ends}
                if len(ends) == 1 or len(houses) == 2:
                    written.update(houses)
    return written


def _name(kind: str, cell: Cell) -> str:
    return f"{kind}:{cell[0]}:{cell[1]}:{cell[2]}"


def parts(value: Any) -> list[Any]:
    """The solver's terms a value is made of."""
    if isinstance(value, Num):
        return [value.term] if value.cases is None else [cond for _, cond in value.cases]
    if isinstance(value, Sel):
        return [each for each in value.is_]
    return [] if isinstance(value, bool | int | Fraction) else [value]


def matched(formal: Values, values: Values) -> list[tuple[Any, Any]]:
    """The solver's terms that a state of unknowns is made of, each with what it is in the state `values`."""
    pairs: list[tuple[Any, Any]] = []
    for cell, unknown in formal.items():
        value = values[cell]
        if isinstance(unknown, Sel):
            chosen = value.is_ if isinstance(value, Sel) else [k == value for k in range(len(unknown.is_))]
            pairs += [(a, as_term(b)) for a, b in zip(unknown.is_, chosen, strict=True)]
        elif isinstance(unknown, Num) and unknown.cases is not None:
            pairs += [(cond, as_term(equal(value, v))) for v, cond in unknown.cases]
        elif not isinstance(unknown, bool | int | Fraction):
            pairs.append((parts(unknown)[0], as_term(value)))
    return pairs


def clone(value: Any, suffix: str) -> Any:
    """The same kind of unknown under another name."""
    if isinstance(value, Num):
        if value.cases is None:
            return Num(cast(Any, renamed(value.term, suffix)), None, value.sources)
        return Num(None, tuple((v, renamed(cond, suffix)) for v, cond in value.cases), value.sources)
    if isinstance(value, Sel):
        return Sel(tuple(renamed(each, suffix) for each in value.is_))
    return value if isinstance(value, bool | int | Fraction) else renamed(value, suffix)
