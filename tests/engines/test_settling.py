"""How duties settle: whose turn it is, and that every form of a rulebook agrees about it."""

from __future__ import annotations

from specforge.algebra.concolic import ConcolicMachine
from specforge.algebra.exact import ExactMachine
from specforge.algebra.staged import StagedMachine
from specforge.core.machine import first_option, settle
from specforge.elaborate import compile_text

RANKED = """rulebook "Ranked"
party Trader:
    key: number
    seen: number = 0
action look:
    nothing
duty mark(t: Trader) after look:
    when t.key > 0
    in order of t.key, highest first
    once
    t.seen += 1
"""


def test_who_has_acted_once_does_not_stand_before_the_next() -> None:
    """Found 2026-11-22: the best of all who are due was looked for, also among those who had acted."""
    system, diagnostics = compile_text(RANKED)
    assert system is not None, diagnostics
    for make in (ExactMachine, StagedMachine, ConcolicMachine):
        machine = make(system, {"Trader": 3})
        machine.begin({("Trader.key", i, 0): i for i in range(3)})
        fired = settle(machine, {"look"}, first_option)
        assert [each.members for each in fired] == [(2,), (1,)], make
