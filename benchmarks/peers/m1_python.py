"""M1 written in plain Python with whole numbers: as quick as such a model can be without compiling it.

    python m1_python.py walk MEMBERS SECONDS        random events, wanted or not; the promises checked after each
    python m1_python.py hypothesis MEMBERS STEPS    the same model under Hypothesis's rule-based state machine

Says the events tried per second as JSON.
"""

from __future__ import annotations

import json
import random
import sys
import time

TICKS = (-3, -1, 1, 3)


class Exchange:
    def __init__(self, members: int):
        self.equity, self.position = [0] * members, [0] * members
        self.house, self.fund, self.cash, self.mark = 0, 1, 1, 100

    def settled(self) -> bool:
        return self.house == 0 and all(e >= p and e >= -p for e, p in zip(self.equity, self.position, strict=True))

    def deposit(self, who: int, amount: int) -> None:
        self.equity[who] += amount
        self.cash += amount

    def withdraw(self, who: int, amount: int) -> None:
        left = self.equity[who] - amount
        if left >= 2 * abs(self.position[who]) and self.settled():
            self.equity[who] = left
            self.cash -= amount

    def trade(self, buyer: int, seller: int, quantity: int) -> None:
        if buyer == seller:
            return
        bought, sold = self.position[buyer] + quantity, self.position[seller] - quantity
        if self.equity[buyer] >= 2 * abs(bought) and self.equity[seller] >= 2 * abs(sold) and self.settled():
            self.position[buyer], self.position[seller] = bought, sold

    def move(self, tick: int) -> None:
        if self.mark + tick > 0 and self.settled():
            self.mark += tick
            for k, held in enumerate(self.position):
                self.equity[k] += tick * held

    def liquidate(self, who: int) -> None:
        if self.equity[who] >= abs(self.position[who]):
            return
        self.house += self.position[who]
        self.fund += self.equity[who]
        self.position[who] = self.equity[who] = 0
        for k, most in enumerate(self.equity):
            if self.fund >= 0:
                break
            if k != who and most > 0:
                cut = min(most, -self.fund)
                self.equity[k] -= cut
                self.fund += cut

    def unwind(self, who: int, quantity: int) -> None:
        if self.house >= quantity and -self.position[who] >= quantity:
            self.house -= quantity
            self.position[who] += quantity
        elif -self.house >= quantity and self.position[who] >= quantity:
            self.house += quantity
            self.position[who] -= quantity

    def check(self) -> None:
        assert self.cash >= 0 and self.fund >= 0
        assert sum(self.equity) + self.fund == self.cash
        assert sum(self.position) + self.house == 0


def walk(members: int, seconds: float) -> tuple[int, float]:
    pick, began, tried = random.Random(0).random, time.process_time(), 0
    while time.process_time() - began < seconds:
        for _ in range(50):
            exchange = Exchange(members)
            for _ in range(20):
                who, amount = int(pick() * members), 1 + int(pick() * 10)
                match int(pick() * 6):
                    case 0:
                        exchange.deposit(who, amount)
                    case 1:
                        exchange.withdraw(who, amount)
                    case 2:
                        exchange.trade(who, int(pick() * members), 1 + int(pick() * 4))
                    case 3:
                        exchange.move(TICKS[int(pick() * 4)])
                    case 4:
                        exchange.liquidate(who)
                    case _:
                        exchange.unwind(who, 1 + int(pick() * 4))
                exchange.check()
            tried += 20
    return tried, time.process_time() - began


def under_hypothesis(members: int, steps: int) -> tuple[int, float]:
    from hypothesis import HealthCheck, settings
    from hypothesis import strategies as st
    from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

    somebody, amount, quantity, tried = st.integers(0, members - 1), st.integers(1, 20), st.integers(1, 10), 0

    def count() -> None:
        nonlocal tried
        tried += 1

    class Machine(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.exchange = Exchange(members)

        @rule(who=somebody, amount=amount)
        def deposit(self, who: int, amount: int) -> None:
            count()
            self.exchange.deposit(who, amount)

        @rule(who=somebody, amount=amount)
        def withdraw(self, who: int, amount: int) -> None:
            count()
            self.exchange.withdraw(who, amount)

        @rule(buyer=somebody, seller=somebody, quantity=quantity)
        def trade(self, buyer: int, seller: int, quantity: int) -> None:
            count()
            self.exchange.trade(buyer, seller, quantity)

        @rule(tick=st.sampled_from(TICKS))
        def move(self, tick: int) -> None:
            count()
            self.exchange.move(tick)

        @rule(who=somebody)
        def liquidate(self, who: int) -> None:
            count()
            self.exchange.liquidate(who)

        @rule(who=somebody, quantity=quantity)
        def unwind(self, who: int, quantity: int) -> None:
            count()
            self.exchange.unwind(who, quantity)

        @invariant()
        def holds(self) -> None:
            self.exchange.check()

    wanted = settings(
        max_examples=max(1, steps // 20),
        stateful_step_count=20,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    began = time.process_time()
    run_state_machine_as_test(Machine, settings=wanted)
    return tried, time.process_time() - began


if __name__ == "__main__":
    mode, members, amount = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    tried, seconds = walk(members, amount) if mode == "walk" else under_hypothesis(members, int(amount))
    print(json.dumps({"answer": "ok", "seconds": seconds, "tried": tried, "rate": tried / seconds}))
