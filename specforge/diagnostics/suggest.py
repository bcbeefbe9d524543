"""Did you mean …?  The name somebody most likely wanted to write."""

from __future__ import annotations

from collections.abc import Iterable


def suggest(name: str, known: Iterable[str]) -> str | None:
    """The known name nearest to `name`: the same but for capitals and `_`, or within a third of its length in
    letters left out, added, changed or swapped.  None when nothing is near."""
    choices = sorted(set(known) - {name})
    for same in (str.casefold, _bare):
        for choice in choices:
            if same(choice) == same(name):
                return choice
    if not 0 < len(name) <= 64:
        return None
    limit = max(1, len(name) // 3) if len(name) > 2 else 0
    near = [(d, c) for c in choices if abs(len(c) - len(name)) <= limit and (d := distance(name, c, limit)) <= limit]
    return min(near)[1] if near else None


def _bare(name: str) -> str:
    return name.casefold().replace("_", "")


def distance(a: str, b: str, limit: int) -> int:
    """The number of single letters to insert, delete, change or swap with a neighbour; anything above `limit`
    when it is more than that."""
    a, b = a.casefold(), b.casefold()
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        earlier, before, row = before, row, [i]
        for j, y in enumerate(b, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, earlier[j - 2] + 1)
            row.append(cost)
        if min(row) > limit:
            return limit + 1
    return row[-1]
