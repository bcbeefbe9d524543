"""Did you mean …?"""

from __future__ import annotations

import pytest

from specforge.diagnostics.suggest import distance, suggest

KNOWN = ["equity", "margin", "position", "required", "Venue", "unsettled", "mark", "bad_debt"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("equtiy", "equity"),
        ("Margin", "margin"),
        ("VENUE", "Venue"),
        ("possition", "position"),
        ("baddebt", "bad_debt"),
        ("marks", "mark"),
        ("price", None),
        ("", None),
        ("x", None),
        ("completely_different", None),
    ],
)
def test_the_nearest_name_is_suggested(written: str, meant: str | None) -> None:
    assert suggest(written, KNOWN) == meant


def test_a_name_is_not_suggested_for_itself() -> None:
    assert suggest("mark", ["mark"]) is None


def test_capitals_come_before_letters() -> None:
    assert suggest("mark", ["march", "Mark"]) == "Mark"


def test_a_swap_is_one_step() -> None:
    assert distance("trasnfer", "transfer", 3) == 1
    assert distance("abc", "xyz", 1) > 1
