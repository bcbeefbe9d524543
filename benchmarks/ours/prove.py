"""Proves the claims of a rulebook for any number of members and any number of steps, nothing given, in a fresh process.

    python prove.py FILE

Says as JSON: the answer ("proved" when every claim is), what stands in the way, the seconds spent on proving and on loading.
"""

from __future__ import annotations

import json
import sys
import time

from specforge.elaborate import load
from specforge.engines.induction import prove
from specforge.evidence.certificate import Proved
from specforge.evidence.goal import ClaimGoal

started = time.process_time()
system, diagnostics = load(sys.argv[1])
assert system is not None, diagnostics[:3]
began = time.process_time()
outcomes = prove(system, [ClaimGoal(claim) for claim in system.claims.values()])
seconds = time.process_time() - began
left = {goal.name: f"{each.reason} at {each.step}" for goal, each in outcomes.items() if not isinstance(each, Proved)}
proved = [goal.name for goal, each in outcomes.items() if isinstance(each, Proved)]
lemmas = sorted({text for each in outcomes.values() if isinstance(each, Proved) for text in each.lemmas})
document = {
    "answer": "proved" if not left else "not proved", "seconds": seconds, "loading": began - started, "proved": proved,
    "left": left, "lemmas": lemmas,
}  # fmt: skip
print(json.dumps(document))
