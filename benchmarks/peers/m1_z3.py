"""M1 written for the bare solver, by hand: what an engineer with Z3 and an afternoon would have.

python m1_z3.py induct MEMBERS          the four promises are kept by every event, all of them assumed before it
python m1_z3.py spacer MEMBERS [LIMIT]  the three promises by Horn clauses, with no helper
python m1_z3.py search MEMBERS EVENTS [LIMIT]   is a promise broken within so many events?  One solver, event by event
python m1_z3.py once MEMBERS EVENTS [LIMIT]     the same as one question
python m1_z3.py broken MEMBERS EVENTS [LIMIT]   M1x: the same as `search`, the first account exempt from the winners' haircut

Amounts are whole numbers (Z3 is quicker with them than with fractions here); prints the answer and the seconds as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass, field

import z3

INITIAL, MAINTENANCE = 2, 1
TICKS = (-3, -1, 1, 3)
EVENTS = ("deposit", "withdraw", "trade", "move", "liquidate", "unwind")


@dataclass
class State:
    at: str
    members: int
    equity: list[z3.ArithRef] = field(init=False)
    position: list[z3.ArithRef] = field(init=False)

    def __post_init__(self) -> None:
        self.equity = [z3.Int(f"equity_{k}@{self.at}") for k in range(self.members)]
        self.position = [z3.Int(f"position_{k}@{self.at}") for k in range(self.members)]
        self.house, self.fund, self.cash, self.mark = (
            z3.Int(f"{name}@{self.at}") for name in ("house", "fund", "cash", "mark")
        )

    def all(self) -> list[z3.ArithRef]:
        return [*self.equity, *self.position, self.house, self.fund, self.cash, self.mark]

    def first(self) -> z3.BoolRef:
        values = [0] * (2 * self.members) + [0, 1, 1, 100]
        return z3.And([var == value for var, value in zip(self.all(), values, strict=True)])

    def healthy(self, k: int) -> z3.BoolRef:
        return z3.And(self.equity[k] >= MAINTENANCE * self.position[k], self.equity[k] >= -MAINTENANCE * self.position[k])

    def settled(self) -> z3.BoolRef:
        return z3.And(self.house == 0, *(self.healthy(k) for k in range(self.members)))

    def promises(self) -> z3.BoolRef:
        return z3.And(self.cash >= 0, z3.Sum(self.equity) + self.fund == self.cash, self.fund >= 0)

    def helper(self) -> z3.BoolRef:
        return z3.Sum(self.position) + self.house == 0


@dataclass
class Choice:
    """What an event is about."""

    at: str
    members: int

    def __post_init__(self) -> None:
        names = ("event", "who", "whom", "quantity", "amount")
        self.event, self.who, self.whom, self.quantity, self.amount = (z3.Int(f"{name}@{self.at}") for name in names)
        self.cuts = [z3.Int(f"cut_{k}@{self.at}") for k in range(self.members)]

    def all(self) -> list[z3.ArithRef]:
        return [self.event, self.who, self.whom, self.quantity, self.amount, *self.cuts]


def step(old: State, choice: Choice, new: State, exempt: bool = False) -> z3.BoolRef:
    members = range(old.members)
    who, whom, quantity, amount = choice.who, choice.whom, choice.quantity, choice.amount
    is_who, is_whom = [who == k for k in members], [whom == k for k in members]

    def of(values: list[z3.ArithRef], chosen: list[z3.BoolRef]) -> z3.ArithRef:
        return z3.Sum([z3.If(mine, value, 0) for mine, value in zip(chosen, values, strict=True)])

    def same(*names: str) -> list[z3.BoolRef]:
        pairs = []
        for name in names:
            before, after = getattr(old, name), getattr(new, name)
            pairs += zip(after, before, strict=True) if isinstance(before, list) else [(after, before)]
        return [after == before for after, before in pairs]

    def changed(name: str, change: list[z3.ArithRef]) -> list[z3.BoolRef]:
        return [after == before + d for after, before, d in zip(getattr(new, name), getattr(old, name), change, strict=True)]

    equity_who, position_who = of(old.equity, is_who), of(old.position, is_who)
    equity_whom, position_whom = of(old.equity, is_whom), of(old.position, is_whom)

    def carries(equity: z3.ArithRef, position: z3.ArithRef) -> list[z3.BoolRef]:
        return [equity >= INITIAL * position, equity >= -INITIAL * position]

    deposit = [
        amount > 0, *changed("equity", [z3.If(mine, amount, 0) for mine in is_who]), new.cash == old.cash + amount,
        *same("position", "house", "fund", "mark"),
    ]  # fmt: skip
    withdraw = [
        old.settled(), amount > 0, *carries(equity_who - amount, position_who),
        *changed("equity", [z3.If(mine, -amount, 0) for mine in is_who]), new.cash == old.cash - amount,
        *same("position", "house", "fund", "mark"),
    ]  # fmt: skip
    traded = [z3.If(buys, quantity, 0) - z3.If(sells, quantity, 0) for buys, sells in zip(is_who, is_whom, strict=True)]
    trade = [
        old.settled(), who != whom, quantity >= 1, *carries(equity_who, position_who + quantity),
        *carries(equity_whom, position_whom - quantity), *changed("position", traded),
        *same("equity", "house", "fund", "cash", "mark"),
    ]  # fmt: skip
    moves = [
        z3.And(old.mark + tick > 0, new.mark == old.mark + tick, *changed("equity", [tick * p for p in old.position]))
        for tick in TICKS
    ]
    move = [old.settled(), z3.Or(moves), *same("position", "house", "fund", "cash")]
    total = old.fund + equity_who
    most = [z3.If(z3.Or(mine, equity < 0), 0, equity) for mine, equity in zip(is_who, old.equity, strict=True)]
    total_cut: z3.ArithRef = z3.If(total >= 0, 0, -total)
    if exempt:  # what the others have may not be enough
        most[0] = z3.IntVal(0)
        total_cut = z3.If(total >= 0, 0, z3.If(-total <= z3.Sum(most), -total, z3.Sum(most)))
    liquidate = [
        z3.Or(equity_who < MAINTENANCE * position_who, equity_who < -MAINTENANCE * position_who),
        *(z3.And(cut >= 0, cut <= top) for cut, top in zip(choice.cuts, most, strict=True)),
        z3.Sum(choice.cuts) == total_cut,
        new.house == old.house + position_who, new.fund == total + z3.Sum(choice.cuts),
        *(new.equity[k] == z3.If(is_who[k], 0, old.equity[k] - choice.cuts[k]) for k in members),
        *(new.position[k] == z3.If(is_who[k], 0, old.position[k]) for k in members),
        *same("cash", "mark"),
    ]  # fmt: skip
    longs = z3.And(old.house >= quantity, -position_whom >= quantity, new.house == old.house - quantity)
    shorts = z3.And(-old.house >= quantity, position_whom >= quantity, new.house == old.house + quantity)
    unwind = [
        quantity >= 1, z3.Or(longs, shorts), *changed("position", [z3.If(mine, old.house - new.house, 0) for mine in is_whom]),
        *same("equity", "fund", "cash", "mark"),
    ]  # fmt: skip
    bodies = (deposit, withdraw, trade, move, liquidate, unwind)
    somebody = [who >= 0, who < old.members, whom >= 0, whom < old.members]
    return z3.And(*somebody, z3.Or([z3.And(choice.event == number, *body) for number, body in enumerate(bodies)]))


def induct(members: int) -> str:
    old, choice, new = State("0", members), Choice("0", members), State("1", members)
    solver = z3.Solver()
    solver.add(old.promises(), old.helper(), step(old, choice, new), z3.Not(z3.And(new.promises(), new.helper())))
    return "proved" if solver.check() == z3.unsat else "not proved"


def spacer(members: int, limit: float) -> str:
    engine = z3.Fixedpoint()
    engine.set(engine="spacer", timeout=int(limit * 1000))
    old, choice, new = State("0", members), Choice("0", members), State("1", members)
    reached = z3.Function("reached", *(z3.IntSort() for _ in old.all()), z3.BoolSort())
    broken = z3.Function("broken", z3.BoolSort())
    engine.register_relation(reached, broken)
    engine.declare_var(*old.all(), *choice.all(), *new.all())
    engine.rule(reached(*old.all()), old.first())
    engine.rule(reached(*new.all()), [reached(*old.all()), step(old, choice, new)])
    engine.rule(broken(), [reached(*old.all()), z3.Not(old.promises())])
    try:
        answer = engine.query(broken())
    except z3.Z3Exception:  # it is out of time
        return "timeout"
    return {"unsat": "proved", "sat": "refuted"}.get(str(answer), "timeout")


def search(members: int, events: int, limit: float, exempt: bool = False) -> str:
    solver, states = z3.Solver(), [State("0", members)]
    solver.add(states[0].first())
    until = time.perf_counter() + limit
    for at in range(events):
        states.append(State(str(at + 1), members))
        solver.add(step(states[at], Choice(str(at), members), states[at + 1], exempt))
        solver.set("timeout", max(1, int(1000 * (until - time.perf_counter()))))
        solver.push()
        solver.add(z3.Not(states[-1].promises()))
        answer = solver.check()
        solver.pop()
        if answer != z3.unsat:
            return f"refuted in {at + 1}" if answer == z3.sat else f"timeout after {at} events"
        solver.add(states[-1].promises())
    return "none"


def once(members: int, events: int, limit: float) -> str:
    solver, states = z3.Solver(), [State(str(at), members) for at in range(events + 1)]
    solver.set("timeout", int(1000 * limit))
    solver.add(states[0].first(), *(step(states[at], Choice(str(at), members), states[at + 1]) for at in range(events)))
    solver.add(z3.Or([z3.Not(state.promises()) for state in states]))
    return {"unsat": "none", "sat": "refuted"}.get(str(solver.check()), "timeout")


if __name__ == "__main__":
    mode, numbers = sys.argv[1], [float(each) for each in sys.argv[2:]]
    began = time.process_time()
    limit = numbers[-1] if len(numbers) > (2 if mode in ("search", "once", "broken") else 1) else 60.0
    match mode:
        case "induct":
            answer = induct(int(numbers[0]))
        case "spacer":
            answer = spacer(int(numbers[0]), limit)
        case "search":
            answer = search(int(numbers[0]), int(numbers[1]), limit)
        case "broken":
            answer = search(int(numbers[0]), int(numbers[1]), limit, exempt=True)
        case _:
            answer = once(int(numbers[0]), int(numbers[1]), limit)
    print(json.dumps({"answer": answer, "seconds": time.process_time() - began}))
