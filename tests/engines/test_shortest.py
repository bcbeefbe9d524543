"""The bounded search with chosen numbers of members: the yardstick's exchange with one exempt account breaks in five events."""

from __future__ import annotations

import time
from pathlib import Path

from specforge.elaborate import load
from specforge.engines.deadline import Clock
from specforge.engines.refute import Bounds, Quest, Refuter
from specforge.evidence.goal import ClaimGoal


def test_five_events_are_the_shortest_with_two_members_and_with_five() -> None:
    system, _ = load(str(Path(__file__).parents[2] / "benchmarks/m1x.rulebook"))
    assert system is not None
    quest = Quest(ClaimGoal(system.claims["fund_holds"]))
    Refuter(system, [quest], Clock(time.monotonic() + 600), Bounds(5, 8, (2, 5))).exclude()
    assert quest.trace is not None
    assert [event.action for event in quest.trace.plan.events] == ["deposit", "deposit", "trade", "move", "liquidate"]
    assert quest.excluded == {2: 4, 5: 4}
