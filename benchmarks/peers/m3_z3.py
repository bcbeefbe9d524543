"""M3 written for the bare solver, by hand: M1 for any number of accounts, as arrays with an uninterpreted sum.

The laws of the sum (what one write changes, what a linear map of a whole array changes, that a part is at most the whole where
nothing is negative) are stated per event and believed: nothing here proves them, and the helper is given.  M1 without those
two gifts is what SpecForge is asked.
"""

from __future__ import annotations

import json
import time

import z3

began = time.process_time()
Values = z3.ArraySort(z3.IntSort(), z3.IntSort())
total = z3.Function("total", Values, z3.IntSort())
k, who, whom, quantity, amount = z3.Ints("k who whom quantity amount")
cuts, some = z3.Const("cuts", Values), z3.Const("some", Values)
one_write = z3.ForAll(
    [some, k, amount],
    total(z3.Store(some, k, amount)) == total(some) - some[k] + amount,
    patterns=[total(z3.Store(some, k, amount))],
)


class State:
    def __init__(self, at: str):
        self.equity, self.position = z3.Const(f"equity{at}", Values), z3.Const(f"position{at}", Values)
        self.house, self.fund, self.cash = z3.Ints(f"house{at} fund{at} cash{at}")

    def promises(self) -> z3.BoolRef:
        books = total(self.equity) + self.fund == self.cash
        return z3.And(self.cash >= 0, books, self.fund >= 0, total(self.position) + self.house == 0)


def size(value: z3.ArithRef) -> z3.ArithRef:
    return z3.If(value >= 0, value, -value)


old, new = State("0"), State("1")
settled = z3.And(old.house == 0, z3.ForAll(k, old.equity[k] >= size(old.position[k])))


def same(*names: str) -> list[z3.BoolRef]:
    return [getattr(new, name) == getattr(old, name) for name in names]


def put(values: z3.ArrayRef, at: z3.ArithRef, change: z3.ArithRef) -> z3.ArrayRef:
    return z3.Store(values, at, values[at] + change)


deficit = old.fund + old.equity[who]
closed = z3.Store(old.equity, who, 0)
events = {
    "deposit": [
        amount > 0, new.equity == put(old.equity, who, amount), new.cash == old.cash + amount,
        *same("position", "house", "fund"),
    ],
    "withdraw": [
        settled, amount > 0, old.equity[who] - amount >= 2 * size(old.position[who]),
        new.equity == put(old.equity, who, -amount),
        new.cash == old.cash - amount, z3.Implies(z3.ForAll(k, old.equity[k] >= 0), old.equity[who] <= total(old.equity)),
        *same("position", "house", "fund"),
    ],
    "trade": [
        settled, who != whom, old.equity[who] >= 2 * size(old.position[who] + quantity),
        old.equity[whom] >= 2 * size(old.position[whom] - quantity), quantity >= 1,
        new.position == put(put(old.position, who, quantity), whom, -quantity), *same("equity", "house", "fund", "cash"),
    ],
    "liquidate": [
        old.equity[who] < size(old.position[who]), cuts[who] == 0,
        z3.ForAll(k, z3.And(cuts[k] >= 0, z3.Implies(k != who, cuts[k] <= z3.If(old.equity[k] >= 0, old.equity[k], 0)))),
        total(cuts) == z3.If(deficit >= 0, 0, -deficit), z3.ForAll(k, new.equity[k] == closed[k] - cuts[k]),
        total(new.equity) == total(closed) - total(cuts), new.position == z3.Store(old.position, who, 0),
        new.house == old.house + old.position[who], new.fund == deficit + total(cuts), *same("cash"),
    ],
    "unwind": [
        z3.Or(
            z3.And(quantity >= 1, quantity <= old.house, quantity <= -old.position[who]),
            z3.And(quantity <= -1, quantity >= old.house, -quantity <= old.position[who]),
        ),
        new.position == put(old.position, who, quantity), new.house == old.house - quantity, *same("equity", "fund", "cash"),
    ],
}  # fmt: skip
for tick in (-3, -1, 1, 3):
    events[f"move {tick}"] = [
        settled, z3.ForAll(k, new.equity[k] == old.equity[k] + tick * old.position[k]),
        total(new.equity) == total(old.equity) + tick * total(old.position), *same("position", "house", "fund", "cash"),
    ]  # fmt: skip

open_ = []
for name, event in events.items():
    solver = z3.Solver()
    solver.set("timeout", 20_000)
    solver.add(one_write, old.promises(), *event, z3.Not(new.promises()))
    if solver.check() != z3.unsat:
        open_.append(name)
answer = "proved" if not open_ else f"not proved: {', '.join(open_)}"
print(json.dumps({"answer": answer, "seconds": time.process_time() - began}))
