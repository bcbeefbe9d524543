"""Rulebooks written in a test, and those of tests/venues/ with a mistake put into them on purpose."""

from __future__ import annotations

from pathlib import Path

from specforge.core import ir
from specforge.elaborate import compile_text

VENUES = Path(__file__).parents[1] / "venues"

SHIFTS = """\
party Venue, one:
    early: number = 0
    late: number = 0
action shift:
    Venue.early := Venue.late
    Venue.late := 0 if Venue.late = 8 otherwise 8
claim never_seven:
    Venue.early != 7
claim never_eight:
    Venue.early != 8
"""


def system_of(text: str) -> ir.System:
    system, diagnostics = compile_text(text)
    assert system is not None, diagnostics
    return system


def with_mistake(venue: str, text: str, mistake: str) -> ir.System:
    source = (VENUES / f"{venue}.rulebook").read_text(encoding="utf-8")
    assert source.count(text) >= 1, "the rulebook has changed"
    return system_of(source.replace(text, mistake, 1))
