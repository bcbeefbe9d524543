"""Excludes every run of a rulebook with MEMBERS members of each open party and at most EVENTS actions, in a fresh process.

    python search.py FILE MEMBERS EVENTS [LIMIT]

The bounded search alone: nothing is proved first, and no lemma is used.  For rulebooks without duties (a step is an action).
"""

from __future__ import annotations

import json
import sys
import time

from specforge.elaborate import load
from specforge.engines.bmc import Unrolling
from specforge.engines.encoding import Encoding, Grids
from specforge.evidence.goal import ClaimGoal

system, diagnostics = load(sys.argv[1])
assert system is not None and not system.duties, diagnostics[:3]
members, events = int(sys.argv[2]), int(sys.argv[3])
limit = float(sys.argv[4]) if len(sys.argv) > 4 else 60.0
began = time.process_time()
goals = [ClaimGoal(claim) for claim in system.claims.values()]
sizes = {party.name: members for party in system.open_parties()}
unrolling = Unrolling(Encoding(system, sizes, Grids(), goals))
answer, length = "none", 0
while answer == "none" and length <= events:
    if length:
        unrolling.extend()
    for at in range(len(goals)):
        t = length - unrolling.length_of(at)
        if t < 0:
            continue
        found = unrolling.ask(at, unrolling.bad(at, t), seconds=max(0.05, limit - (time.process_time() - began)))
        if found != "unsat":
            answer = f"{goals[at].name} refuted" if found == "sat" else f"timeout after {length - 1} events"
            break
    length += 1
print(json.dumps({"answer": answer, "seconds": time.process_time() - began}))
