"""What is said to be proved of a counterexample is so: other values go the same way inside the ranges, and not outside them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest
import z3
from quicktions import Fraction

from specforge.algebra.edges import Interval, range_around
from specforge.algebra.symbolic import real
from specforge.core import ir
from specforge.elaborate import compile_text, load
from specforge.engines.simulate import explore
from specforge.evidence.goal import ClaimGoal, DefectGoal, Goal
from specforge.evidence.play import Event
from specforge.evidence.replay import replay
from specforge.evidence.simplify import Spot, candidates, follow, put, shows, shrink, spots, value_at
from specforge.evidence.trace import Plan, Trace

ROOT = Path(__file__).parents[2]
NAMES = ("01_bitmex", "04_bybit_copper_ethena", "07_deribit", "08_ftx_2019", "06_coinflex", "11_adl_policy")


def system_of(text: str) -> ir.System:
    system, diagnostics = compile_text('rulebook "Test"\nasset USD\n' + text)
    assert system is not None, diagnostics
    return system


def found(system: ir.System, most: int = 3) -> list[Trace]:
    """Runs that break claims, as the random search came upon them."""
    goals: list[Goal] = [
        ClaimGoal(claim, each.given) for claim in system.claims.values() for each in claim.expects if each.verdict == "refuted"
    ]
    plans = explore(system, goals, 3, steps=12, seed=4, runs=400).plans
    assert plans
    return [replay(system, plan, goals[at]) for at, plan in sorted(plans.items())[:most]]


def holds(conditions: Sequence[Any], values: Sequence[Fraction]) -> bool:
    pairs = [(z3.Real(f"x{i}"), real(value)) for i, value in enumerate(values)]
    return all(z3.is_true(z3.simplify(z3.substitute(each, *pairs))) for each in conditions)


def way(trace: Trace | None) -> list[Any]:
    """How a run went: who did what, whatever the amounts."""
    return [] if trace is None else [(step.number, step.name, step.duty, step.picks) for step in trace.steps]


@pytest.mark.parametrize("name", NAMES)
def test_where_the_conditions_hold_the_run_goes_the_same_way(name: str) -> None:
    system, _ = load(str(ROOT / "tests" / "venues" / f"{name}.rulebook"))
    assert system is not None
    random, same, other = Random(name), 0, 0
    for trace in found(system):
        among = spots(system, trace.plan)
        values = [value_at(trace.plan, each) for each in among]
        conditions = follow(system, trace.plan, trace.goal, among)
        assert conditions is not None and holds(conditions, values)
        for _ in range(25):
            changed = dict(zip(among, values, strict=True))
            for spot in random.sample(among, min(len(among), random.choice((1, 1, 2)))):
                near = value_at(trace.plan, spot) * random.choice((1, Fraction(9, 10), Fraction(11, 10), 2))
                changed[spot] = random.choice([*list(candidates(system, trace.plan, spot))[:8], near])
            if holds(conditions, list(changed.values())):
                assert way(shows(system, put(trace.plan, changed), trace.goal)) == way(trace)
                same += 1
            else:
                other += 1
        ranges_are_right(system, trace, among, random)
    assert same >= 5 and other >= 5, (same, other)


def ranges_are_right(system: ir.System, trace: Trace, among: list[Spot], random: Random) -> None:
    for spot in random.sample(among, min(3, len(among))):
        conditions = follow(system, trace.plan, trace.goal, [spot])
        assert conditions is not None
        interval = range_around(conditions, "x0", value_at(trace.plan, spot))
        for value in inside(interval, value_at(trace.plan, spot)):
            assert way(shows(system, put(trace.plan, {spot: value}), trace.goal)) == way(trace), (spot, value)


def inside(interval: Interval, value: Fraction) -> list[Fraction]:
    """Points of the interval: ends that belong to it, and some in between."""
    low = value - 1000 if interval.low is None else interval.low
    high = value + 1000 if interval.high is None else interval.high
    points = [value, (low + value) / 2, (high + value) / 2, low + (value - low) / 1000, high - (high - value) / 1000]
    if interval.low is not None and not interval.low_open:
        points.append(interval.low)
    if interval.high is not None and not interval.high_open:
        points.append(interval.high)
    return points


VENUE = """
party Trader:
    margin: balance USD
    paid: USD = 0
party Venue, one:
    fund: balance USD
action pay_in(t: Trader, n: USD):
    require n > 0 and n <= 100 USD
    receive n into t.margin
    if n > 10 USD:
        t.paid += n
claim little:
    for all t: Trader: for_all
"""
RANGES: list[tuple[str, int, str, Interval]] = [
    ("t.paid = 0", 50, "above 10, and what is required ends at 100", Interval(Fraction(10), True, Fraction(100), False)),
    ("t.paid <= 20 USD", 50, "the claim is broken above 20", Interval(Fraction(20), True, Fraction(100), False)),
    ("t.margin < 5 USD", 5, "from 5, before something else happens", Interval(Fraction(5), False, Fraction(10), False)),
    ("t.margin != 7 USD", 7, "only this value", Interval(Fraction(7), False, Fraction(7), False)),
]


@pytest.mark.parametrize(("claim", "amount", "why", "expected"), RANGES, ids=[each[2] for each in RANGES])
def test_a_range_ends_where_the_run_goes_another_way(claim: str, amount: int, why: str, expected: Interval) -> None:
    system, trace = paying(claim, amount)
    spot = Spot(event=0, arg=1)
    conditions = follow(system, trace.plan, trace.goal, [spot])
    assert conditions is not None
    interval = range_around(conditions, "x0", Fraction(amount))
    assert interval == expected
    for value in inside(interval, Fraction(amount)):
        assert shows(system, put(trace.plan, {spot: value}), trace.goal) is not None
    tiny = Fraction(1, 1_000_000)
    for end, open_, out in ((interval.low, interval.low_open, -tiny), (interval.high, interval.high_open, tiny)):
        assert end is not None
        for value in [end + out, *([end] if open_ else [])]:
            assert not holds(conditions, [value])


def paying(claim: str, amount: int) -> tuple[ir.System, Trace]:
    system = system_of(VENUE.replace("for_all", claim))
    plan = Plan({"Trader": 1}, {("Trader.margin", 0, 0): Fraction(0)}, (Event("pay_in", (0, Fraction(amount))),))
    return system, replay(system, plan, ClaimGoal(system.claims["little"]))


def test_a_counterexample_is_made_small_and_round() -> None:
    system, _ = load(str(ROOT / "tests" / "venues" / "12_ccp_waterfall.rulebook"))
    assert system is not None
    for trace in found(system, 2):
        small = shrink(system, trace, seconds=3)
        assert small.actions <= trace.actions and small.members <= trace.members
        assert way(shows(system, small.plan, small.goal)) == way(small)
        for at in range(small.actions):
            events = small.plan.events[:at] + small.plan.events[at + 1 :]
            assert shows(system, Plan(small.plan.sizes, small.plan.start, events), small.goal) is None, "one action too many"


SPINNING = """
party Venue, one:
    seen: number = 0
action jam(n: number):
    require n > 3
    Venue.seen := n
duty spin after jam:
    when Venue.seen > 2
    nothing
"""


def test_a_settling_that_never_ends_is_simplified_too() -> None:
    system = system_of(SPINNING)
    goal = DefectGoal(ir.Defect.RESTS)
    plan = explore(system, [goal], 0, steps=3, seed=1, runs=50).plans[0]
    small = shrink(system, replay(system, plan, goal), seconds=3)
    assert small.actions == 1 and small.plan.events[0].args == (Fraction(5),)  # rounder than 4
