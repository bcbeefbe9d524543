"""Proves the claims of a rulebook for a fixed number of members and any number of steps, in a fresh process.

    python fixed.py FILE MEMBERS

Says as JSON: the answer ("proved" when every claim is), what stands in the way, the seconds spent on proving and on loading.
"""

from __future__ import annotations

import json
import sys
import time

from specforge.elaborate import load
from specforge.engines.fixed import prove_fixed
from specforge.evidence.certificate import Proved
from specforge.evidence.goal import ClaimGoal

started = time.process_time()
system, diagnostics = load(sys.argv[1])
assert system is not None, diagnostics[:3]
began = time.process_time()
sizes = {party.name: max(int(sys.argv[2]), len(party.named)) for party in system.open_parties()}
outcomes = prove_fixed(system, sizes, [ClaimGoal(claim) for claim in system.claims.values()])
seconds = time.process_time() - began
left = {goal.name: each.reason for goal, each in outcomes.items() if not isinstance(each, Proved)}
document = {
    "answer": "proved" if not left else "not proved", "seconds": seconds, "loading": began - started, "left": left,
}  # fmt: skip
print(json.dumps(document))
