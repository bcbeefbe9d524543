"""A party that stands apart has a house of its own: what it holds is not the rulebook's, and what leaves it must be there."""

from __future__ import annotations

from pathlib import Path

import pytest
from quicktions import Fraction

from specforge.core import ir
from specforge.core.machine import DefectFound, first_option
from specforge.elaborate import load
from tests.elaborate.helpers import good, machine

TEXT = """
party Copper "a custodian", one, apart:
    vault: balance USD = 40 USD
    debt: net USD
action pledge(n: USD):
    transfer n from Copper.vault to Venue.fund
action borrow(n: USD):
    transfer n from Copper.debt to Venue.fund
action back(n: USD):
    transfer n from Venue.fund to Copper.vault
action runs_backwards(n: USD):
    transfer n from Copper.debt to Venue.debt
let ours = holdings(USD)
let theirs = holdings(Copper.USD)
"""
HEAD = 'rulebook "Houses"\nasset USD\nparty Venue, one:\n    fund: balance USD = 100 USD\n    debt: net USD\n'


def holds(system: ir.System, *acts: tuple[str, int]) -> tuple[Fraction, Fraction]:
    run = machine(system)
    for action, amount in acts:
        run.act(action, [Fraction(amount)], first_option)
    return run.evaluate(system.lets["ours"]), run.evaluate(system.lets["theirs"])


def test_each_house_holds_its_own() -> None:
    system = good(TEXT, HEAD)
    assert holds(system) == (100, 40)
    assert holds(system, ("pledge", 30)) == (130, 10)
    assert holds(system, ("pledge", 30), ("back", 130)) == (0, 140)


@pytest.mark.parametrize("act", [("borrow", 41), ("pledge", 41), ("runs_backwards", 41), ("runs_backwards", -101)])
def test_what_leaves_a_house_must_be_there(act: tuple[str, int]) -> None:
    system = good(TEXT, HEAD)
    with pytest.raises(DefectFound) as found:
        holds(system, act)
    assert found.value.defect is ir.Defect.FUNDED
    assert holds(system, ("runs_backwards", 40), ("runs_backwards", -140)) == (0, 140)


def test_a_used_rulebook_keeps_its_houses_apart_too(tmp_path: Path) -> None:
    (tmp_path / "inner.rulebook").write_text(HEAD + TEXT, encoding="utf-8")
    text = 'rulebook "Outer"\nuse "inner.rulebook" as inner\nlet both = holdings(inner.Copper.USD) + holdings(inner.USD)\n'
    (tmp_path / "outer.rulebook").write_text(text, encoding="utf-8")
    system, problems = load(str(tmp_path / "outer.rulebook"), root=str(tmp_path))
    assert problems == [] and system is not None
    assert "holdings(inner.Copper.USD)" in system.fields
    assert machine(system).evaluate(system.lets["both"]) == 140
