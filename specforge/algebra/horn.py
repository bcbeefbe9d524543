"""What always holds, found by Z3's fixed point engine (Spacer): the start, the step and what must not be, as Horn clauses.

What it finds is a suggestion: it counts once every step is shown to keep it (`engines/fixed.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import z3

from specforge.algebra.solver import due_in
from specforge.algebra.symbolic import as_term
from specforge.algebra.terms import CONTEXT

Bool = Any
LONGEST = 60  # seconds


def invariant(
    state: Sequence[Any], following: Sequence[Any], first: Bool, step: Bool, bad: Bool, rlimit: int
) -> list[Bool] | None:
    """Conditions on `state` that hold at first, that every step keeps, and that exclude `bad`; None if none were found.
    `following`: the same unknowns after a step."""
    engine = z3.Fixedpoint()
    engine.set(engine="spacer", rlimit=rlimit, timeout=LONGEST * 1000)
    reached = z3.Function("reached", *(each.sort() for each in state), z3.BoolSort())
    broken = z3.Function("broken", z3.BoolSort())
    engine.register_relation(reached, broken)
    conditions = [as_term(each) for each in (first, step, bad)]
    engine.declare_var(*{each.get_id(): each for each in (*state, *following, *unknowns(conditions))}.values())
    engine.rule(reached(*state), conditions[0])
    engine.rule(reached(*following), [reached(*state), conditions[1]])
    engine.rule(broken(), [reached(*state), conditions[2]])
    try:
        with due_in(LONGEST, CONTEXT.interrupt):  # there is no other way, and it comes last
            answer = engine.query(broken())
        if answer != z3.unsat:
            return None
        found = z3.substitute_vars(engine.get_cover_delta(-1, reached), *state)
    except z3.Z3Exception:  # out of time, or interrupted
        return None
    found = z3.simplify(found)
    return list(found.children()) if z3.is_and(found) else [found]


def unknowns(terms: Iterable[Any]) -> list[Any]:
    """Every unknown that the terms speak of."""
    found: dict[int, Any] = {}
    seen: set[int] = set()
    left = list(terms)
    while left:
        each = left.pop()
        if each.get_id() in seen:
            continue
        seen.add(each.get_id())
        if z3.is_const(each) and each.decl().kind() == z3.Z3_OP_UNINTERPRETED:
            found[each.get_id()] = each
        left += each.children()
    return list(found.values())
