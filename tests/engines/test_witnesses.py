"""Members that stand for any: what is said of all, of every two, of these or of those, is shown for each way in which the
members it speaks of may be those who take part in a step, or others."""

from __future__ import annotations

import pytest

from specforge.core import ir
from specforge.elaborate import compile_text
from specforge.engines.induction import prove
from specforge.evidence.certificate import Proved
from specforge.evidence.goal import ClaimGoal

PARTY = """\
rulebook "Members" "Something happens to some."
party Member:
    x: number = 0
    y: number at least 0
"""
CLAIMS = """\
claim zero "nobody has anything":
    for all a: Member: a.x = 0
claim same "all have the same":
    for all a, b: Member: a.x = b.x
claim lone "at most one has something":
    for all a, b: Member: a = b or a.x = 0 or b.x = 0
claim either "nobody has something, or nobody had":
    (for all a: Member: a.x = 0) or (for all b: Member: b.y = 0)
claim both "whoever has something had nothing, and has at least that":
    for all a: Member: (a.x > 0 implies a.y = 0) and (for all b: Member: b.x >= 0)
"""
STEPS = {
    "nobody": ("act:\n    for each o: Member:\n        o.x := 0", {"zero", "same", "lone", "either", "both"}),
    "he who takes part": ("act(m: Member):\n    m.x := 1", set[str]()),
    "all the others": ("act(m: Member):\n    for each o: Member where o != m:\n        o.x := 1", set[str]()),
    "everybody alike": ("act:\n    for each o: Member:\n        o.x := 1", {"same"}),
    "everybody in his way": ("act:\n    for each o: Member:\n        o.x := o.y", set[str]()),
    "he who had nothing": ("act(m: Member):\n    require m.y = 0\n    m.x := 1", {"both"}),
    "the first": ("act(m: Member):\n    require (for all o: Member: o.x = 0)\n    m.x := 1", {"lone"}),
    "two": ("act(m: Member, n: Member):\n    require m.y = 0 and n.y = 0\n    m.x := 1\n    n.x := 1", {"both"}),
    "one of two": ("act(m: Member, n: Member):\n    n.x := 0\n    m.x := 0 - n.y", set[str]()),
}


@pytest.mark.parametrize("step", STEPS)
def test_what_breaks_for_some_members_is_not_proved_for_all(step: str) -> None:
    action, expected = STEPS[step]
    system, problems = compile_text(f"{PARTY}action {action}\n{CLAIMS}")
    assert isinstance(system, ir.System), problems
    outcomes = prove(system, [ClaimGoal(claim) for claim in system.claims.values()])
    assert {goal.name for goal, outcome in outcomes.items() if isinstance(outcome, Proved)} == expected
