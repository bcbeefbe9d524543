"""That no statement ever meets a defect: shown for any number of members, and not shown where one may."""

# ruff: noqa: E501

from __future__ import annotations

from pathlib import Path

import pytest

from specforge.core import ir
from specforge.elaborate import load
from specforge.engines.free import free_goals
from specforge.engines.induction import prove
from specforge.engines.simulate import explore
from specforge.evidence.certificate import NotProved, ProofOutcome, Proved
from specforge.evidence.goal import DefectGoal
from specforge.evidence.replay import replay
from tests.engines.texts import system_of, with_mistake

ROOT = Path(__file__).parents[2]


def never(system: ir.System) -> dict[str, ProofOutcome]:
    goals = [each.goal for each in free_goals(system) if isinstance(each.goal, DefectGoal) and each.check != "rests"]
    return {goal.name: outcome for goal, outcome in prove(system, goals).items()}


VENUE = """rulebook "Test" "A venue."
asset USD
asset LOT
party Trader:
    margin: balance USD
    size: net LOT
    limit: USD from 0 to 10 USD = 0
    weight: number = 0
    due: flag = no
party Venue, one:
    fund: balance USD = 5 USD
    spare: balance USD = 5 USD
    book: net USD
    ratio: number = 1
    stuck: flag = no
"""

# a name, the defect, a rulebook that may meet it, and what cures it
FAULTS: list[tuple[str, str, str, tuple[str, str]]] = [
    (
        "an account may not hold what is paid from it", "funded",
        "action take(t: Trader, n: USD):\n    require n > 0\n    transfer n from t.margin to Venue.fund\n",
        ("require n > 0", "require n > 0 and n <= t.margin"),
    ),
    (
        "an amount may be negative", "funded",
        "action take(t: Trader, n: USD):\n    require n <= t.margin\n    transfer n from t.margin to Venue.fund\n",
        ("require n <=", "require n >= 0 and n <="),
    ),
    (
        "everybody pays, one may not have it", "funded",
        "action fee(n: USD):\n    require n >= 0\n    for each t: Trader where t.margin > 0:\n"
        "        transfer n from t.margin to Venue.fund\n",
        ("t.margin > 0", "t.margin >= n"),
    ),
    (
        "the venue pays everybody, however many they are", "funded",
        "action bonus(n: USD):\n    require n >= 0 and n <= Venue.fund\n    for each t: Trader:\n"
        "        transfer n from Venue.fund to t.margin\n",
        ("require n >= 0 and n <= Venue.fund", "require n >= 0 and n * (count of t: Trader) <= Venue.fund"),
    ),
    (
        "the house may hold less than the account", "funded",
        "action win(t: Trader, n: USD):\n    require n >= 0\n    transfer n from Venue.book to t.margin\n"
        "action leave(t: Trader, n: USD):\n    require 0 <= n and n <= t.margin\n    pay n from t.margin\n",
        ("n <= t.margin", "n <= t.margin and n <= holdings(USD)"),
    ),
    (
        "a check that comes too late", "funded",
        "action take(t: Trader, n: USD):\n    require n >= 0\n    transfer n from t.margin to Venue.fund\n"
        "    require t.margin >= 0\n",
        ("require n >= 0\n", "require n >= 0 and n <= t.margin\n"),
    ),
    (
        "the same member twice", "funded",
        "action both(t: Trader, u: Trader, n: USD):\n    require n >= 0 and n <= t.margin and n <= u.margin\n"
        "    transfer n from t.margin to Venue.fund\n    transfer n from u.margin to Venue.fund\n",
        ("require n >= 0", "require t != u and n >= 0"),
    ),
    (
        "a field leaves its bounds", "bounds",
        "action more(t: Trader):\n    t.limit += 4 USD\n",
        ("    t.limit", "    require t.limit <= 6 USD\n    t.limit"),
    ),
    (
        "everybody's field, one leaves its bounds", "bounds",
        "action more(u: Trader):\n    require u.limit <= 6 USD\n    for each t: Trader:\n        t.limit += 4 USD\n",
        ("    for each t: Trader:", "    for each t: Trader where t.limit <= 6 USD:"),
    ),
    (
        "a division by what may be zero", "defined",
        "action split(t: Trader, n: number):\n    Venue.ratio := 1 / n\n",
        ("    Venue", "    require n > 0\n    Venue"),
    ),
    (
        "a division by a member's own value, in a loop", "defined",
        "action split:\n    for each t: Trader:\n        t.weight := 1 / t.weight\n",
        ("each t: Trader:", "each t: Trader where t.weight != 0:"),
    ),
    (
        "whom a duty listens for may have no such value", "defined",
        "action tick:\n    nothing\nduty close(t: Trader) after tick:\n    when 1 / t.weight > 5\n    t.weight := 1\n",
        ("when 1", "when t.weight != 0 and 1"),
    ),
    (
        "a rank without a value", "defined",
        "action raise(t: Trader):\n    t.due := yes\n"
        "duty close(t: Trader) after raise:\n    when t.due\n    in order of 1 / t.weight, highest first\n    t.due := no\n",
        ("when t.due", "when t.due and t.weight > 0"),
    ),
    (
        "a negative weight", "defined",
        "action weigh(t: Trader, n: number):\n    t.weight := n\n"
        "action share(n: USD):\n    collect n into Venue.fund:\n        from t.margin of each t: Trader in proportion to t.weight\n"
        "        rest left:\n            nothing\n",
        ("    t.weight := n", "    require n >= 0\n    t.weight := n"),
    ),
    (
        "a lookup beyond the last row", "tables",
        "table fee(x: number):\n    up to 3: x\naction weigh(t: Trader, n: number):\n    t.weight := fee(n)\n",
        ("    t.weight := fee(n)", "    require n <= 3\n    t.weight := fee(n)"),
    ),
    (
        "a duty is refused", "duties",
        "action jam(t: Trader):\n    t.due := yes\nduty refuse(t: Trader) after jam:\n    when t.due\n    require t.margin > 0\n    t.due := no\n",
        ("when t.due", "when t.due and t.margin > 0"),
    ),
    (
        "something remains where nothing may", "duties",
        "action jam(t: Trader):\n    t.due := yes\nduty cover(t: Trader) after jam:\n    when t.due\n    t.due := no\n"
        "    collect 5 USD into Venue.fund:\n        from Venue.spare\n        from u.margin of each u: Trader in any order\n"
        "        nothing may remain\n",
        ("when t.due", "when t.due and (sum of w.margin for w: Trader) >= 5 USD"),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("name", "check", "text", "cure"), FAULTS, ids=[each[0].replace(" ", "_") for each in FAULTS])
def test_a_fault_is_not_proved_away_and_its_cure_is(name: str, check: str, text: str, cure: tuple[str, str]) -> None:
    system = system_of(VENUE + text)
    found = never(system)
    outcome = found[check]
    assert isinstance(outcome, NotProved)
    line = outcome.span.line  # type: ignore[union-attr]
    assert line > len(VENUE.splitlines()), "the sentence is named"
    goal = DefectGoal(ir.Defect(check))
    plans = explore(system, [goal], 2, steps=8, seed=1, runs=400).plans
    if plans:
        assert replay(system, plans[0], goal).where.line == line  # type: ignore[union-attr]
    assert text.count(cure[0]) == 1
    cured = never(system_of(VENUE + text.replace(*cure)))[check]
    assert isinstance(cured, Proved), cured
    assert cured.certificate.recheck() == []


SHOWN = {
    "01_bitmex": "funded bounds defined",
    "02_binance": "funded bounds defined",
    "03_hyperliquid": "bounds defined",
    "04_bybit_copper_ethena": "funded bounds defined",
    "05_contagion": "funded bounds defined",
    "05_small_venue": "funded bounds",
    "06_coinflex": "funded bounds",
    "07_deribit": "funded bounds defined",
    "09_ftx_as_run": "funded bounds defined",
    "10_okex_clawback": "funded bounds defined",
    "12_ccp_waterfall": "funded bounds defined",
}


@pytest.mark.parametrize("name", SHOWN)
def test_the_examples_meet_no_defect(name: str) -> None:
    system, _ = load(str(ROOT / "tests" / "venues" / f"{name}.rulebook"))
    assert system is not None
    assert {check for check, outcome in never(system).items() if isinstance(outcome, Proved)} == set(SHOWN[name].split())


MISTAKES = [
    ("01_bitmex", "require 0 < amount and amount <= t.margin and amount", "require 0 < amount and amount", "funded"),
    ("03_hyperliquid", "    require Pool.usd - money >= 0.01 USD\n    transfer", "    transfer", "bounds funded"),
    ("07_deribit", "min(fee * abs(t.position) * Venue.mark, max(equity(t), 0))", "fee * equity(t)", "funded"),
    ("09_ftx_as_run", "amount <= c.usd + c.credit and", "amount <= c.usd + 2 * c.credit and", "funded"),
    ("10_okex_clawback", "where profit(t) > 0 up to profit(t) in proportion to profit(t)", "up to 1 USD in proportion to profit(t)", "defined"),
    ("12_ccp_waterfall", "receive share into m.share", "receive share - 1 USD into m.share", "funded"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "mistake", "checks"), MISTAKES)
def test_a_mistake_written_into_an_example_is_not_proved_away(name: str, text: str, mistake: str, checks: str) -> None:
    found = never(with_mistake(name, text, mistake))
    assert {check for check, outcome in found.items() if isinstance(outcome, NotProved)} & set(checks.split())
