"""Bounded search: is there a run of so many steps, with so many members, that shows what is looked for?

The encoding of one step is written down once per step of the run (an `Unrolling`); all goals share it, each under its own
assumptions.  A model becomes a Plan, which is only a suggestion until `evidence/replay.py` has executed it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from quicktions import Fraction

from specforge.algebra.exact import Cell
from specforge.algebra.solver import Answer, Model, Session, at_most, new_flag, renamed, substitute
from specforge.algebra.symbolic import Num, Sel, conj, disj, equal, implies, negate
from specforge.core import ir
from specforge.core.machine import Firing, Members
from specforge.engines.encoding import Encoding, Rule, clone, matched, parts
from specforge.evidence.goal import DefectGoal
from specforge.evidence.play import Event
from specforge.evidence.trace import Plan


class Unrolling:
    """A run of `len(self.steps)` steps as formulas in one solver; `ends_early`: or of fewer (a question about t steps then says
    nothing about those that follow)."""

    def __init__(self, encoding: Encoding, seed: int = 0, ends_early: bool = False):
        self.encoding = encoding
        self.session = Session(seed=seed, search=not encoding.products, plain=not encoding.grids.values)
        self.session.add(encoding.rigid_facts)
        self.states: list[dict[Cell, Any]] = [encoding.initial]
        self.steps: list[list[tuple[Any, Any]]] = []  # per step: its unknowns, renamed
        self._unknowns = [
            *(each for value in encoding.pool.values() for each in parts(value)),
            *(rule.do for rule in encoding.rules),
            *encoding.algebra.fresh,
        ]
        self._along = [new_flag(f"counts:{at}") for at in range(len(encoding.looked))]
        self._step = conj(encoding.step)
        self._asked = 0
        self._may_stop = ends_early or any(isinstance(each.goal, DefectGoal) for each in encoding.looked)
        self._going: list[Any] = [True]  # the state after t steps was come to without a defect
        self._along_state(0)

    def _state_pairs(self, t: int) -> list[tuple[Any, Any]]:
        """The formal state's terms and what they are at step t."""
        return matched(self.encoding.formal, self.states[t])

    def extend(self) -> None:
        """One more step."""
        t = len(self.steps)
        encoding = self.encoding
        self.states.append({cell: clone(value, f"@{t + 1}") for cell, value in encoding.formal.items()})
        following = [
            (a, b)
            for cell, value in encoding.next.items()
            for a, b in zip(parts(value), parts(self.states[t + 1][cell]), strict=True)
        ]
        own = [(each, renamed(each, f"@{t}")) for each in self._unknowns]
        self.steps.append([*self._state_pairs(t), *own, *following])
        going = new_flag(f"going:{t + 1}") if self._may_stop else True
        self._going.append(going)
        self.session.add([implies(going, self._going[t])])
        self.session.add([implies(going, substitute(self._step, self.steps[t]))])
        for at, looked in enumerate(encoding.looked):
            for each in looked.along_step:
                self.session.add([implies(conj((going, self._along[at])), substitute(each, self.steps[t]))])
        self._along_state(t + 1)

    def _along_state(self, t: int) -> None:
        pairs = self._state_pairs(t)
        for at, looked in enumerate(self.encoding.looked):
            for each in looked.along:
                if each is not True:
                    self.session.add([implies(conj((self._going[t], self._along[at])), substitute(each, pairs))])

    def bad(self, at: int, t: int) -> Any:
        """The goal is shown by the state after t steps (for goals judged on a step: by step t itself)."""
        looked = self.encoding.looked[at]
        if isinstance(looked.goal, DefectGoal):  # the step does not go through: only the steps before it do
            return conj((self._going[t], substitute(looked.bad, self.steps[t])))
        if looked.on_step:
            return conj((self._going[t + 1], substitute(looked.bad, self.steps[t])))
        return conj((self._going[t], substitute(looked.bad, self._state_pairs(t))))

    def gone(self, t: int) -> Any:
        """The first t steps have gone through, without a defect."""
        return self._going[t]

    def length_of(self, at: int) -> int:
        """How many steps a run has that shows the goal at t = 0."""
        return 1 if self.encoding.looked[at].on_step else 0

    def ask(
        self, at: int, cond: Any, extra: Sequence[Any] = (), seconds: float | None = None, rlimit: float | None = None
    ) -> Answer:
        """Is there such a run that counts and in which `cond` holds?"""
        if cond is False:
            return "unsat"
        self._asked += 1
        literal = new_flag(f"ask:{self._asked}")
        self.session.add([implies(literal, conj((cond, *extra)))])
        answer = self.session.ask([self._along[at], literal], seconds, rlimit)
        if answer == "unsat":
            self.session.add([negate(literal)])
        return answer

    def is_action(self, t: int) -> Any:
        """Step t is an action of the world (not a firing)."""
        return disj(substitute(rule.do, self.steps[t]) for rule in self.encoding.rules if not rule.duty)

    def actions_at_most(self, count: int, length: int) -> Any:
        return at_most([self.is_action(t) for t in range(length)], count)

    def fires(self, duty: str, t: int) -> Any:
        """Step t is a firing of that duty, and comes to rest."""
        done = next(rule.do for rule in self.encoding.rules if rule.duty and rule.name == duty)
        rests = substitute(self.encoding.rest, self._state_pairs(t + 1))
        return conj((self._going[t + 1], substitute(done, self.steps[t]), rests))

    def unfinished(self, t: int) -> Any:
        """Some duty is still due after t steps."""
        encoding = self.encoding
        late = disj((negate(encoding.rest), *(negate(each) for each in encoding.rest_conditions)))
        return conj((self._going[t], substitute(late, self._state_pairs(t))))

    def settles(self, length: int, actions: int, seconds: float, rlimit: float) -> Answer:
        """unsat: after so many steps no run with at most so many actions is still settling (so all of them are shorter)."""
        self._asked += 1
        literal = new_flag(f"ask:{self._asked}")
        late = conj((self.unfinished(length), self.actions_at_most(actions, length)))
        self.session.add([implies(literal, late)])
        answer = self.session.ask([literal], seconds, rlimit)
        self.session.add([negate(literal)])
        return answer

    # ------------------------------------------------------------ from a model to a plan

    def plan(self, length: int) -> Plan:
        """The run the solver has in mind.  Raises Irrational."""
        model = self.session.model()
        encoding = self.encoding
        start = {
            cell: model.value(value)
            for cell, value in encoding.start_state.items()
            if isinstance(value, Num | Sel) or not isinstance(value, bool | int | Fraction)
        }
        start = encoding.fixed | {cell: value for cell, value in start.items() if self._is_free(cell)}
        events: list[Event] = []
        firings: list[list[Firing]] = [[]]
        for t in range(length):
            rule = next(r for r in encoding.rules if model.value(substitute(r.do, self.steps[t])))
            args = tuple(self._value(model, arg, t) for arg in rule.args)
            giving = self._giving(model, rule, t)
            if rule.duty:
                firings[-1].append(Firing(rule.name, args, giving))
            else:
                events.append(Event(rule.name, args, giving))
                firings.append([])
        sizes = {party.name: encoding.sizes[party.name] for party in encoding.system.open_parties()}
        return Plan(sizes, start, tuple(events), tuple(tuple(each) for each in firings))

    def _is_free(self, cell: Cell) -> bool:
        """The start chooses it; what the text works out from other values is left to the interpreter."""
        field = self.encoding.system.fields[cell[0]]
        return field.kind is ir.Kind.PARAMETER or (field.kind is not ir.Kind.HOUSE and field.start is None)

    def _value(self, model: Model, formal: Any, t: int) -> Any:
        if isinstance(formal, Sel):
            return model.value(Sel(tuple(substitute(each, self.steps[t]) for each in formal.is_)))
        if isinstance(formal, Num):
            if formal.cases is not None:
                return model.value(Num(None, tuple((v, substitute(cond, self.steps[t])) for v, cond in formal.cases)))
            return model.value(Num(substitute(formal.term, self.steps[t])))
        return model.value(formal if isinstance(formal, bool | int | Fraction) else substitute(formal, self.steps[t]))

    def shape(self, length: int, giving: bool = True) -> Any:
        """What is done in the run the solver has in mind, by whom (and who gives), whatever the amounts."""
        model = self.session.model()
        chosen: list[Any] = []
        for t in range(length):
            rule = next(r for r in self.encoding.rules if model.value(substitute(r.do, self.steps[t])))
            chosen.append(substitute(rule.do, self.steps[t]))
            for arg in rule.args:
                if isinstance(arg, Sel):
                    chosen.append(substitute(arg.is_[self._value(model, arg, t)], self.steps[t]))
            for _, _, shares, _ in rule.shared if giving else ():
                for x in shares:
                    gives = substitute(equal(x, Fraction(0)), self.steps[t])
                    chosen.append(negate(gives) if self._value(model, x, t) != 0 else gives)
        return conj(chosen)

    def _giving(self, model: Model, rule: Rule, t: int) -> tuple[Members, ...]:
        """Who gives in the rule's collects: those who are emptied first, the one who is not last."""
        order: list[Members] = []
        for _, members, shares, caps in rule.shared:
            giving = []
            for member, x, cap in zip(members, shares, caps, strict=True):
                amount, limit = self._value(model, x, t), self._value(model, cap, t)
                if amount > 0:
                    giving.append((amount < limit, member))
            order += [(member,) for _, member in sorted(giving)]
        return tuple(order)
