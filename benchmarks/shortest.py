"""The yardstick's mini exchange in plain Python, searched breadth first: how short is the shortest run that breaks a promise?

Independent of the rest of the project.  Amounts are taken from a small list; quantities too, fractions included.

Five is the shortest for any amounts: a trade of at least one contract needs equity of 2 on both sides, and equities start at
0, so two deposits and the trade come first; after it both are healthy, so a move must come before a liquidation; and nothing
but a liquidation lowers the fund, while cash = equities + fund stays at or above 0 as long as the fund does.

    python benchmarks/shortest.py [members]
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import permutations

from quicktions import Fraction

INITIAL, MAINTENANCE, TICKS = 2, 1, (-3, -1, 1, 3)
AMOUNTS = (Fraction(1, 2), 1, 2, 3, 4, 6)
QUANTITIES = (1, Fraction(3, 2), 2)

State = tuple[tuple, tuple, Fraction, Fraction, Fraction, Fraction]  # equities, positions, house, fund, cash, mark


def healthy(equity: Fraction, position: Fraction) -> bool:
    return equity >= MAINTENANCE * abs(position)


def after(state: State, exempt: set[int]) -> Iterator[tuple[str, State]]:
    equity, position, house, fund, cash, mark = state
    members = range(len(equity))
    settled = house == 0 and all(map(healthy, equity, position))

    def put(values: tuple, changes: dict[int, Fraction]) -> tuple:
        return tuple(changes.get(k, value) for k, value in enumerate(values))

    for i in members:
        for a in AMOUNTS:
            yield f"deposit({i}, {a})", (put(equity, {i: equity[i] + a}), position, house, fund, cash + a, mark)
            if settled and equity[i] - a >= INITIAL * abs(position[i]):
                yield f"withdraw({i}, {a})", (put(equity, {i: equity[i] - a}), position, house, fund, cash - a, mark)
        for j in members:
            for q in QUANTITIES:
                ni, nj = position[i] + q, position[j] - q
                if settled and i != j and equity[i] >= INITIAL * abs(ni) and equity[j] >= INITIAL * abs(nj):
                    yield f"trade({i}, {j}, {q})", (equity, put(position, {i: ni, j: nj}), house, fund, cash, mark)
        if not healthy(equity[i], position[i]):
            total = fund + equity[i]
            others = [w for w in members if w != i and w not in exempt and equity[w] > 0]
            for order in permutations(others) if total < 0 else [()]:
                left, cuts = max(-total, 0), {i: Fraction(0)}
                for w in order:
                    cut = min(left, equity[w])
                    cuts[w] = equity[w] - cut
                    left -= cut
                new = put(equity, cuts), put(position, {i: 0}), house + position[i], total + max(-total, 0) - left, cash, mark
                yield f"liquidate({i})", new
        for q in QUANTITIES:
            if (house >= q and -position[i] >= q) or (-house >= q and position[i] >= q):
                way = q if house > 0 else -q
                yield f"unwind({i}, {q})", (equity, put(position, {i: position[i] + way}), house - way, fund, cash, mark)
    for tick in TICKS:
        if settled and mark + tick > 0:
            yield (
                f"move({tick})",
                (tuple(e + tick * p for e, p in zip(equity, position, strict=True)), *state[1:5], mark + tick),
            )


def broken(state: State) -> bool:
    equity, _, _, fund, cash, _ = state
    return cash < 0 or sum(equity) + fund != cash or fund < 0


def shortest(members: int, exempt: set[int], depth: int) -> list[str] | None:
    """The events of a shortest run that breaks I1, I2 or I3; None if there is none of at most `depth` events."""
    first: State = ((0,) * members, (0,) * members, 0, 1, 1, 100)  # type: ignore[assignment]
    layer: dict[State, list[str]] = {first: []}
    seen = {first}
    for _ in range(depth):
        following: dict[State, list[str]] = {}
        for state, path in layer.items():
            for event, new in after(state, exempt):
                if new not in seen:
                    if broken(new):
                        return [*path, event]
                    seen.add(new)
                    following[new] = [*path, event]
        layer = following
    return None


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2
    print("nobody exempt, up to 5 events:", shortest(count, set(), 5))
    print("one exempt, up to 5 events:   ", shortest(count, {0}, 5))
