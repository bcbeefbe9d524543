"""M2 written for the bare solver, by hand: a loss, LAYERS layers of which the last takes what is left, and what must hold.

python m2_z3.py LAYERS [--wrong]      --wrong: two neighbours in the middle pay in the wrong order
"""

from __future__ import annotations

import json
import sys
import time

import z3

began = time.process_time()
layers, wrong = int(sys.argv[1]), "--wrong" in sys.argv
loss, caps = z3.Int("loss"), [z3.Int(f"cap_{at}") for at in range(layers - 1)]
solver = z3.Solver()
solver.add(loss >= 0, *(cap >= 0 for cap in caps))
order = list(range(layers - 1))
if wrong:
    middle = len(order) // 2
    order[middle - 1], order[middle] = order[middle], order[middle - 1]
paid = [z3.Int(f"paid_{at}") for at in range(layers)]
left: z3.ArithRef = loss
for at in order:
    after = z3.Int(f"left_{at}")
    solver.add(paid[at] == z3.If(left <= caps[at], left, caps[at]), after == left - paid[at])
    left = after
solver.add(paid[-1] == left)
promises = [z3.Sum(paid) == loss, paid[-1] >= 0]
promises += [z3.And(share >= 0, share <= cap) for share, cap in zip(paid[:-1], caps, strict=True)]
promises += [z3.Implies(paid[later] > 0, paid[earlier] == caps[earlier]) for later in range(layers) for earlier in range(later)]
solver.add(z3.Not(z3.And(promises)))
answer = {"unsat": "proved", "sat": "refuted"}.get(str(solver.check()), "unknown")
print(json.dumps({"answer": answer, "seconds": time.process_time() - began}))
