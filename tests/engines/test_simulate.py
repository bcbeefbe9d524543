"""Random runs: what they find replays exactly, many goals are judged as one is, and a seed is a seed."""

from __future__ import annotations

from pathlib import Path

import pytest

from specforge.algebra.exact import ExactMachine
from specforge.core import ir
from specforge.elaborate import load
from specforge.engines.simulate import Walk, explore, sample, sizes_for
from specforge.evidence.goal import ClaimGoal, DefectGoal, Goal, ReachGoal
from specforge.evidence.play import Judge, Outcome
from specforge.evidence.replay import Script, replay
from tests.engines.texts import system_of

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "tests" / "venues").glob("*.rulebook"))


def system_at(path: Path) -> ir.System:
    system, _ = load(str(path))
    assert system is not None
    return system


def goals_of(system: ir.System) -> list[Goal]:
    goals: list[Goal] = list(map(ReachGoal, system.reaches.values()))
    for claim in system.claims.values():
        goals += [ClaimGoal(claim, given) for given in dict.fromkeys([(), *(each.given for each in claim.expects)])]
    return goals


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_many_goals_are_judged_as_one_is(path: Path) -> None:
    system = system_at(path)
    goals = goals_of(system)
    walk = Walk(system, sizes_for(system, 2), goals, seed=len(path.stem))
    shown: dict[int, int] = {}

    def on_shown(found: int) -> None:
        shown.update({at: len(walk.done) for at in range(len(goals)) if found >> at & 1})

    walk.on_shown = on_shown
    walk.goes_on = True
    for run in range(4):
        shown.clear()
        if not walk.begin(defaults=run % 2 == 0):
            continue
        walk.run(10)
        plan = walk.plan()
        machine = ExactMachine(system, plan.sizes)
        machine.begin(plan.start)
        start = machine.save()
        for at, goal in enumerate(goals):
            machine.restore(start)
            assert found_at(Judge(machine, goal), plan) == shown.get(at), (goal.name, run)


def found_at(judge: Judge, plan: object) -> int | None:
    """After how many actions the goal is shown; None if it is not."""
    played = judge.start(Script((), plan.firings[0]))  # type: ignore[attr-defined]
    for count, event in enumerate(plan.events):  # type: ignore[attr-defined]
        if played.outcome is not Outcome.GOES_ON:
            return count if played.outcome is Outcome.FOUND else None
        played = judge.step(event, Script(event.giving, plan.firings[count + 1]))  # type: ignore[attr-defined]
    return len(plan.events) if played.outcome is Outcome.FOUND else None  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["01_bitmex", "04_bybit_copper_ethena", "07_deribit", "12_ccp_waterfall"])
def test_what_is_found_replays_exactly(name: str) -> None:
    system = system_at(ROOT / "tests" / "venues" / f"{name}.rulebook")
    goals = [*goals_of(system), *map(DefectGoal, ir.Defect)]
    found = explore(system, goals, 3, steps=20, seed=1, runs=300)
    assert found.plans
    for at, plan in found.plans.items():
        replay(system, plan, goals[at])


def test_nothing_is_found_against_what_is_expected_to_hold() -> None:
    for path in EXAMPLES:
        system = system_at(path)
        goals = [ClaimGoal(c, e.given) for c in system.claims.values() for e in c.expects if e.verdict == "proved"]
        found = explore(system, goals, 2, steps=12, runs=40)
        assert [goals[at].name for at in found.plans] == [], path.stem


def test_the_yardsticks_exempt_account_breaks_the_fund() -> None:
    system = system_at(ROOT / "benchmarks" / "m1x.rulebook")
    goals = [ClaimGoal(system.claims[name]) for name in ("fund_holds", "books_balance")]
    found = explore(system, goals, 3, runs=3000, seed=2)
    assert list(found.plans) == [0]
    trace = replay(system, found.plans[0], goals[0])
    assert trace.actions >= 5


DEFECTS = """rulebook "Defects"
asset USD
party Trader:
    margin: balance USD = 10 USD
    weight: number = 0
party Venue, one:
    fund: balance USD = 5 USD
    stuck: flag = no
action take(t: Trader, amount: USD):
    require amount > 0
    pay amount from t.margin
action jam:
    Venue.stuck := yes
duty spin after jam:
    when Venue.stuck
    nothing
action split(t: Trader):
    transfer Venue.fund / t.weight from Venue.fund to t.margin
"""


def test_defects_are_found_and_a_settling_that_never_ends_is_reported() -> None:
    system = system_of(DEFECTS)
    goals = [DefectGoal(each) for each in (ir.Defect.FUNDED, ir.Defect.DIVISION, ir.Defect.RESTS, ir.Defect.TABLE)]
    found = explore(system, goals, 2, steps=5, runs=50)
    assert sorted(found.plans) == [0, 1, 2]
    for at in (0, 1):
        assert replay(system, found.plans[at], goals[at]).defect is goals[at].defect
    counted = sample(system, 2, runs=20, steps=5)
    assert {defect for defect, _ in counted.defects} == {ir.Defect.FUNDED, ir.Defect.DIVISION, ir.Defect.RESTS}


def test_a_seed_is_a_seed() -> None:
    system = system_at(ROOT / "tests" / "venues" / "12_ccp_waterfall.rulebook")
    first, second, other = (sample(system, 3, runs=30, steps=10, seed=seed) for seed in (7, 7, 8))
    same = [(each.events, each.actions, each.duties, each.tiers, each.reached, each.broken) for each in (first, second, other)]
    assert same[0] == same[1] != same[2]
    goals = goals_of(system)
    plans = [explore(system, goals, 3, runs=60, seed=3).plans for _ in range(2)]
    assert plans[0] == plans[1]


def test_counts_say_what_happened() -> None:
    system = system_at(ROOT / "tests" / "venues" / "12_ccp_waterfall.rulebook")
    counted = sample(system, 3, runs=200, steps=20, seed=1)
    assert counted.accepted == sum(each.accepted for each in counted.actions.values())
    assert counted.events == sum(each.tried for each in counted.actions.values())
    assert counted.duties["waterfall"] > 0 and counted.broken["defaulter_first"] == 0 < counted.broken["never_torn_up"]
    assert counted.reached["assessed"] > 0 and sum(counted.tiers.values()) > 0
