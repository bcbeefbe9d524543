"""The shortest run that breaks any of a rulebook's claims, with so many members, in a fresh process; replayed exactly.

    python shortest.py FILE MEMBERS CLAIM...

What is expected to be proved is proved first.  Then every run with fewer actions than the one found is excluded, for two
members and for MEMBERS; the run is replayed with MEMBERS.  For rulebooks without duties.  Says as JSON: the length, the run,
the seconds.
"""

from __future__ import annotations

import json
import sys
import time

from attrs import evolve

from specforge.core import ir
from specforge.elaborate import load
from specforge.engines.deadline import Clock
from specforge.engines.fixed import prove_fixed
from specforge.engines.refute import Bounds, Quest, Refuter
from specforge.evidence.certificate import Proved
from specforge.evidence.goal import ClaimGoal
from specforge.evidence.replay import replay

STEPS = 8  # looked at, at most

began = time.process_time()
system, diagnostics = load(sys.argv[1])
assert system is not None and not system.duties, diagnostics[:3]
members = int(sys.argv[2])
hoped = [ClaimGoal(claim) for claim in system.claims.values() if claim.expects[0].verdict == "proved"]
sizes = {party.name: members for party in system.open_parties()}
proved = {goal.name for goal, each in prove_fixed(system, sizes, hoped).items() if isinstance(each, Proved)}
promises = [system.claims[name] for name in sys.argv[3:] if name not in proved]
together = ir.Claim("promises", ir.AtRest(), ir.Op(ir.Operator.AND, tuple(each.cond for each in promises)), ())
quest = Quest(ClaimGoal(together))
Refuter(system, [quest], Clock(time.monotonic() + 600), Bounds(members, STEPS, tuple(sorted({2, members})))).exclude()
answer, events = "none", []
if quest.trace is not None:
    plan = evolve(quest.trace.plan, sizes={party.name: members for party in system.open_parties()})
    trace = replay(system, plan, quest.goal)
    events = [f"{event.action}({', '.join(map(str, event.args))})" for event in trace.plan.events]
    shortest = quest.excluded.get(members, -1) >= trace.actions - 1
    answer = f"refuted in {trace.actions}" if shortest else f"refuted in {trace.actions}, not shown to be the shortest"
print(json.dumps({"answer": answer, "events": events, "seconds": time.process_time() - began}))
