"""The laws that the any-number prover relies on, proved: one more member keeps each of them; and on lists of members."""

from __future__ import annotations

import random

import pytest
import z3
from quicktions import Fraction

from specforge.algebra.exact import share_out
from specforge.core import ir
from specforge.engines.laws import Law, laws

LAWS = laws(z3.If, z3.And, z3.Or)


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
def test_one_more_member_keeps_the_law(law: Law) -> None:
    unknowns = [z3.Real(f"x{k}") for k in range(law.unknowns)]
    solver = z3.Solver()
    solver.add(*law.given(*unknowns))
    assert solver.check() == z3.sat, "it is about something"
    solver.add(z3.Not(law.then(*unknowns)))
    assert solver.check() == z3.unsat
    if law.base is not None:
        assert z3.simplify(law.base(*map(z3.RealVal, [1] * law.unknowns)))


def tier(policy: ir.Policy) -> ir.Tier:
    return ir.Tier("w", "P", ir.YES, ir.ONE, policy, ir.ONE, None, "x", ())


@pytest.mark.parametrize("policy", list(ir.Policy))
def test_what_the_interpreter_shares_out_obeys_the_laws(policy: ir.Policy) -> None:
    rng = random.Random(5)
    for _ in range(300):
        count = rng.randint(1, 7)
        caps = [Fraction(rng.randint(0, 6), rng.randint(1, 3)) for _ in range(count)]
        keys = [Fraction(rng.randint(0, 3)) for _ in range(count)]
        asked = Fraction(rng.randint(0, 20), rng.randint(1, 3))
        pick = lambda choice: rng.randrange(len(choice.options))  # noqa: E731
        shares = share_out(tier(policy), asked, range(count), caps, keys, None, pick)
        weighted = [cap if policy is not ir.Policy.PROPORTION or key > 0 else 0 for cap, key in zip(caps, keys, strict=True)]
        assert all(0 <= x <= cap for x, cap in zip(shares, weighted, strict=True))
        assert sum(shares) == min(asked, sum(weighted))
        if policy is ir.Policy.PROPORTION:
            rates = [x / key for x, cap, key in zip(shares, weighted, keys, strict=True) if key > 0 and x < cap]
            assert len(set(rates)) <= 1
            assert all(x <= rate * key for rate in rates for x, key in zip(shares, keys, strict=True))
        else:
            assert sum(0 < x < cap for x, cap in zip(shares, caps, strict=True)) <= 1
        if policy in (ir.Policy.HIGHEST, ir.Policy.LOWEST):
            way = 1 if policy is ir.Policy.HIGHEST else -1
            for x, cap, key in zip(shares, caps, keys, strict=True):
                for y, worse in zip(shares, keys, strict=True):
                    assert not (way * key > way * worse and y > 0 and x < cap)
