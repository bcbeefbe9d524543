"""The free checks: a small rulebook with each mistake is told of it, and the examples are clean."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from attrs import define

from specforge.core import ir
from specforge.elaborate import compile_text, load
from specforge.engines.counters import unfed_claims
from specforge.engines.free import FreeGoal, Shown, free_goals, free_rows
from specforge.engines.simulate import explore
from specforge.engines.tables import tables_kept
from specforge.evidence.replay import replay
from specforge.evidence.trace import Trace
from specforge.evidence.verdict import FREE_CHECKS, Result, Scope, Verdict

SMALL = Scope(2, 3)
EXAMPLES = sorted((Path(__file__).parents[1] / "venues").glob("*.rulebook"))


def system_of(text: str) -> ir.System:
    system, diagnostics = compile_text('rulebook "Test"\nasset USD\n' + text)
    assert system is not None, diagnostics
    return system


@define
class Search:
    trace: Trace | None = None
    engine: str = ""
    proof: Shown | None = None
    obstacle: str = ""
    seconds: float = 0.0


def searched(system: ir.System, runs: int = 200, members: int = 2) -> dict[FreeGoal, Search]:
    goals = free_goals(system)
    searches = {each: Search() for each in goals}
    found = explore(system, [each.goal for each in goals], members, steps=8, seed=1, runs=runs)
    for at, plan in found.plans.items():
        searches[goals[at]] = Search(replay(system, plan, goals[at].goal), "random runs")
    return searches


def rows(system: ir.System, searches: Mapping[FreeGoal, Search], scope: Scope = SMALL) -> dict[str, Result]:
    return {row.name: row for row in free_rows(system, "test", searches, [*FREE_CHECKS], lambda search: scope, [])}


VENUE = """
party Trader:
    margin: balance USD
    limit: USD from 0 to 10 USD = 0
    weight: number = 0
party Venue, one:
    fund: balance USD = 5 USD
    hole: USD = 0
    stuck: flag = no
"""
MISTAKES: dict[str, str] = {
    "funded": "action take(t: Trader):\n    pay 1 USD from t.margin\n",
    "bounds": "action more(t: Trader):\n    t.limit += 4 USD\n",
    "defined": "action split(t: Trader):\n    t.weight := 1 / t.weight\n",
    "tables": "table fee(x: number):\n    up to 3: x\naction pay_fee(t: Trader, n: number):\n    t.weight := fee(n)\n",
    "duties": "action jam:\n    nothing\nduty refuse after jam:\n    require not Venue.stuck and Venue.fund = 0\n",
    "rests": "action jam:\n    Venue.stuck := yes\nduty spin after jam:\n    when Venue.stuck\n    nothing\n",
}


@pytest.mark.parametrize("check", MISTAKES)
def test_each_mistake_is_found_and_shown_by_a_run(check: str) -> None:
    found = rows((system := system_of(VENUE + MISTAKES[check])), searched(system))
    assert found[check].verdict is Verdict.REFUTED and found[check].trace is not None
    assert [name for name, row in found.items() if row.verdict is Verdict.REFUTED] == [check]


def test_what_nothing_in_the_text_could_do_is_proved() -> None:
    found = rows((system := system_of(VENUE + "action idle:\n    nothing\n")), searched(system))
    assert {row.verdict for row in found.values()} == {Verdict.PROVED}


def test_what_was_not_found_is_bounded_or_unknown() -> None:
    system = system_of(
        VENUE + "action take(t: Trader, n: USD):\n    require 0 < n and n <= t.margin\n    pay n from t.margin\n"
    )
    searches = searched(system, runs=20)
    assert rows(system, searches)["funded"].verdict is Verdict.BOUNDED
    assert rows(system, searches, Scope())["funded"].verdict is Verdict.UNKNOWN


DEAD = """
action open(t: Trader):
    require Venue.fund < 5 USD
    nothing
duty close after open:
    when Venue.stuck
    Venue.stuck := no
action idle:
    nothing
assumption nobody: for all t: Trader: t.margin < 0
"""


def test_dead_sentences_and_vacuous_claims_are_named() -> None:
    system = system_of(
        VENUE
        + DEAD
        + "claim kept:\n    Venue.hole = 0\n    expect proved given nobody\n"
        + "claim jammed:\n    for all t: Trader: Venue.stuck implies t.margin = 0\n"
        + "claim plain:\n    for all t: Trader: t.margin >= 0 implies Venue.fund >= 0\n"
    )
    found = rows(system, searched(system))
    assert found["alive"].verdict is Verdict.UNKNOWN and "`open`; `close`." in found["alive"].reason
    assert "`idle`" not in found["alive"].reason
    assert found["vacuous"].verdict is Verdict.UNKNOWN
    assert "`kept` given nobody judged; the condition of `jammed` met." in found["vacuous"].reason


COUNTED = """
action lose(t: Trader, n: USD):
    require 0 < n and n <= t.margin
    pay n from t.margin
    {line}
claim no_hole:
    Venue.hole = 0
"""


@pytest.mark.parametrize(
    ("line", "fed"),
    [
        ("nothing", False),
        ("Venue.hole += 1 USD", False),
        ("Venue.hole += n", True),
        ("Venue.hole := t.margin", True),
        ("t.limit := t.margin\n    Venue.hole := t.limit", True),
        ("if Venue.fund = 0:\n        Venue.hole += 1 USD", True),
    ],
)
def test_a_counter_that_no_money_changes_is_named(line: str, fed: bool) -> None:
    system = system_of(VENUE + COUNTED.format(line=line))
    assert [(claim.name, names) for claim, names in unfed_claims(system)] == ([] if fed else [("no_hole", ("Venue.hole",))])
    assert rows(system, {})["fed"].verdict is (Verdict.PROVED if fed else Verdict.REFUTED)


RATE = "parameter rate: ratio from 0% to 100%\n"
TABLES: list[tuple[str, str, bool | None, str]] = [
    ("continuous", "up to 5: x\n    otherwise: 2 * x - 5", True, ""),
    ("continuous", "up to 5: x\n    otherwise: 2 * x", False, "at 5 it jumps from 5 to 10"),
    ("continuous", "below 5: x\n    otherwise: 5 if x < 6 otherwise 5", True, ""),
    ("continuous", "up to 5: x\n    otherwise: 5 if x < 6 otherwise 6", None, "a row may jump where it chooses"),
    ("continuous", "otherwise: floor(x, 2)", None, "it rounds, and what is rounded jumps"),
    ("continuous", "otherwise: max(x, 3 - x)", True, ""),
    ("continuous", "up to 5: rate * x\n    otherwise: rate * 5", True, ""),
    ("continuous", "up to 5: rate * x\n    otherwise: 5", False, "with rate ="),
    ("rising", "up to 5: x\n    below 7: 5\n    otherwise: 2 * x", True, ""),
    ("rising", "up to 5: x\n    otherwise: x - 1", False, "and only"),
    ("rising", "otherwise: rate * x", True, ""),
    ("rising", "otherwise: floor(x, 2)", True, ""),
    ("convex", "up to 5: x\n    otherwise: 2 * x - 5", True, ""),
    ("convex", "up to 5: x\n    otherwise: x / 2", False, "halfway between"),
]


@pytest.mark.parametrize(("property", "lines", "holds", "reason"), TABLES)
def test_tables_are_judged_for_all_values(property: str, lines: str, holds: bool | None, reason: str) -> None:
    kept = tables_kept(system_of(f"{RATE}table t(x: number), {property}:\n    {lines}\n"))[0]
    assert kept.holds is holds and reason in kept.reason, kept


def test_a_broken_table_refutes_its_row() -> None:
    system = system_of("table t(x: number), rising:\n    up to 5: x\n    otherwise: x - 1\n")
    row = rows(system, {})["tables"]
    assert row.verdict is Verdict.REFUTED and row.engine == "table" and "`t` is not rising" in row.reason


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_no_example_makes_a_mistake(path: Path) -> None:
    system, _ = load(str(path))
    assert system is not None
    found = rows(system, searched(system, runs=60, members=3))
    assert [(name, row.reason) for name, row in found.items() if row.verdict is Verdict.REFUTED] == []
    assert found["fed"].verdict is Verdict.PROVED
