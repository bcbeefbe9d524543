"""Small rulebooks for the tests of the checker."""

from __future__ import annotations

from typing import Any

from quicktions import Fraction

from specforge.algebra.exact import ExactMachine
from specforge.core import ir
from specforge.diagnostics.codes import Code
from specforge.elaborate import compile_text

HEAD = 'rulebook "Test" "A small venue."\nasset USD\nasset BTC\n'
PARTIES = """
party Trader:
    margin: balance USD
    position: net BTC
    exempt: flag

party Venue, one:
    fund: balance USD = 100 USD
    mark: USD per BTC above 0 = 100 USD per BTC
    tally: number = 0
"""


def good(text: str, head: str = HEAD + PARTIES) -> ir.System:
    """The system of a rulebook in which nothing is wrong."""
    system, problems = compile_text(head + text)
    assert problems == [], [(str(each.code), each.message) for each in problems]
    assert system is not None
    return system


def codes(text: str, head: str = HEAD + PARTIES) -> list[Code]:
    """The codes of what is wrong."""
    system, problems = compile_text(head + text)
    assert (system is None) == bool(problems)
    return [each.code for each in problems]


def machine(system: ir.System, **sizes: int) -> ExactMachine:
    result = ExactMachine(system, sizes)
    result.begin({})
    return result


def value(text: str, head: str = HEAD + PARTIES) -> Any:
    """What an expression comes to at the start."""
    system = good(f"let result = {text}\n", head)
    return machine(system, Trader=0).evaluate(system.lets["result"])


def number(text: str) -> Fraction:
    return Fraction(value(text))
