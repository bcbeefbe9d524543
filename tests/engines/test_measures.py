"""That every settling ends: proved by measures that are found, and not proved where a settling may go on for ever."""

from __future__ import annotations

from pathlib import Path

import pytest

from specforge.core import ir
from specforge.elaborate import load
from specforge.engines.induction import RESTS, prove
from specforge.evidence.certificate import NotProved, Proved
from specforge.evidence.goal import ClaimGoal
from tests.engines.texts import system_of, with_mistake

ROOT = Path(__file__).parents[2]
BOOKS = sorted(each for folder in ("tests/venues", "rulebooks") for each in (ROOT / folder).rglob("*.rulebook"))
OPEN = {"bitmex/contracts", "papers/previous_mark"}  # a settling may go on, or nobody has found why it ends


def measured(system: ir.System) -> Proved | NotProved:
    return prove(system, [RESTS])[RESTS]


def name_of(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


@pytest.mark.parametrize("path", BOOKS, ids=name_of)
def test_every_settling_ends_but_those_named(path: Path) -> None:
    system, _ = load(str(path))
    assert system is not None
    outcome = measured(system)
    assert isinstance(outcome, NotProved if name_of(path) in OPEN else Proved), outcome
    if isinstance(outcome, NotProved):
        return
    if path.stem[:2] in ("05", "06", "09", "12"):
        assert outcome.certificate.recheck() == []


MISTAKES = [
    ("01_bitmex", " and (exists w: Trader where opposes(w) and not w.exempt)", "", "deleverage"),
    ("01_bitmex", "0 and Venue.engine > 0", "0 and Venue.engine >= 0", "keep_surplus"),
    ("02_binance", "transfer t.unsettled from t.unsettled to Venue.book", "nothing", "liquidate"),
    ("02_binance", "equity(t) < required(t)", "equity(t) <= required(t)", "liquidate"),
    ("06_coinflex", "    transfer t.unsettled from t.unsettled to Venue.book\n", "", "liquidate"),
    ("06_coinflex", "Venue.halted := yes", "nothing", "halt"),
    ("08_ftx_2019", "            transfer uncovered from Venue.book to t.unsettled\n", "", "third_tier"),
    ("09_ftx_as_run", "let lot = c.ftt\n", "let lot = c.ftt / 2\n", "margin_call"),
    ("12_ccp_waterfall", "            transfer left from Ccp.book to m.gain\n", "", "waterfall"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "mistake", "duty"), MISTAKES)
def test_a_settling_that_may_go_on_is_not_proved_to_end(name: str, text: str, mistake: str, duty: str) -> None:
    outcome = measured(with_mistake(name, text, mistake))
    assert isinstance(outcome, NotProved)
    assert f"`{duty}` may be due again after it has acted" in outcome.reason


RING = """rulebook "A ring" "Two duties wake each other."

asset USD

party Trader:
    margin: balance USD
    left: flag = no
    right: flag = no

action push(t: Trader):
    t.left := yes

duty to_the_right(t: Trader) after push:
    when t.left
    t.left := no
    {right}

duty to_the_left(t: Trader) after push:
    when t.right
    t.right := no
    {left}

claim full:
    for all t: Trader: t.left implies t.margin >= 0
    expect proved
"""


def ring(right: str, left: str) -> ir.System:
    return system_of(RING.format(right=right, left=left))


def test_duties_that_wake_each_other_are_named() -> None:
    outcome = measured(ring("t.right := yes", "t.left := yes"))
    assert isinstance(outcome, NotProved)
    assert outcome.reason == "`to_the_right` may make `to_the_left` due, and `to_the_left` may make `to_the_right` due"


def test_a_duty_that_wakes_all_members_for_another_one_is_no_measure_against_it() -> None:
    everybody = "for each u: Trader:\n        u.{} := yes"
    outcome = measured(ring(everybody.format("right"), everybody.format("left")))
    assert isinstance(outcome, NotProved)
    assert isinstance(measured(ring(everybody.format("right"), "nothing")), Proved)


@pytest.mark.parametrize("left", ["nothing", "t.left := yes"])
def test_a_claim_at_rest_has_a_premise_unless_settling_is_proved_to_end(left: str) -> None:
    system = ring("t.right := yes", left)
    proof = prove(system, [ClaimGoal(system.claims["full"])])[ClaimGoal(system.claims["full"])]
    assert isinstance(proof, Proved)
    assert proof.premises == (() if left == "nothing" else ("where settling ends",))
    measures = proof.certificate.settling.measures if proof.certificate.settling else ()
    assert [each.falls for each in measures] == ([("to_the_right",), ("to_the_left",)] if left == "nothing" else [])
    if left == "nothing":
        assert {"settling 1", "settling 1 falls"} <= {each.need.shows for each in proof.certificate.obligations}
    assert proof.certificate.recheck() == []


def test_once_for_each_member_is_enough() -> None:
    text = RING
    for side in ("left", "right"):
        text = text.replace(f"    when t.{side}\n", f"    when t.{side}\n    once\n")
    assert isinstance(measured(system_of(text.format(right="t.right := yes", left="t.left := yes"))), Proved)


VAULT = """rulebook "A vault" "One account takes over what others cannot carry."
asset LOT
party Trader:
    size: net LOT
    weak: flag
member vault: Trader
party Venue, one:
    round: number = 0
action tick(t: Trader, n: LOT):
    require n > 0
    transfer n from vault.size to t.size
duty take_over(t: Trader) after tick:
    when {guard}t.size != 0 and t.weak
    transfer t.size from t.size to vault.size
"""


@pytest.mark.parametrize("guard", ["t != vault and ", ""])
def test_whoever_takes_all_over_is_left_out_of_the_count(guard: str) -> None:
    assert isinstance(measured(system_of(VAULT.format(guard=guard))), Proved if guard else NotProved)
