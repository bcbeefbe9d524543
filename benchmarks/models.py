"""The yardstick's models proved and searched: our rulebooks beside what one would write for the bare solver, in one run.

    python benchmarks/models.py [--limit SECONDS] [--rounds N] [--only m1|m2|m3|m1x|search]

Every figure is a whole process (imports included) unless it says "solving".  The peers' scripts are in peers/, the processes
that run our side in ours/.  A peer still busy at the limit (default 60) is stopped there, and its ratio is a lower bound.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from measure import HERE, Child, Row, in_turn, python, show

M1, M2 = HERE / "m1.rulebook", HERE / "m2.rulebook"
FIXED = (2, 3, 4, 6, 8, 12)
M1X = HERE / "m1x.rulebook"
HAIRCUTS = (
    "the winners' haircut: ours and z3 any split that covers the deficit, as far as it can (of ours at most one winner is cut "
    "in part); TLC, rumur and plain Python one after the other, in the order of their numbers"
)


def proving(path: Path) -> list[str]:
    return python("ours/prove.py", path)


def for_(path: Path, members: int) -> list[str]:
    return python("ours/fixed.py", path, members)


def stands(child: Child) -> str:
    """What our side says when it is not a proof."""
    if child.answer == "proved":
        return ""
    left = child.said.get("left", {})
    return f"NOT PROVED: {'; '.join(f'{name}: {why}' for name, why in left.items())}" if left else f"NOT PROVED: {child.answer}"


def over(child: Child) -> str:
    return f"peer: {child.answer}" if child.answer not in ("proved", "none", "refuted") else ""


def said(*parts: str) -> str:
    return "; ".join(each for each in parts if each)


def m1(limit: float, rounds: int) -> list[Row]:
    rows: list[Row] = []
    for members in FIXED:
        ours, bare = in_turn(for_(M1, members), python("peers/m1_z3.py", "induct", members), rounds=rounds, limit=2 * limit)
        within = ours.seconds - ours.solving <= bare.seconds - bare.solving + 0.15
        kept = ours.answer == "proved" and ours.solving <= 2 * bare.solving and within
        note = f"whole processes: {ours.seconds:.2f} s beside {bare.seconds:.2f} s ({ours.seconds / bare.seconds:.1f} x)"
        work = f"M1, n = {members}, helper given (solving)"
        rows.append(
            Row(work, ours.solving, "z3, helper by hand", bare.solving, "2 x, start + 0.15 s", kept, said(stands(ours), note))
        )
    for members in (2, 3, 4, 6):
        ours, bare = in_turn(proving(M1), python("peers/m1_z3.py", "spacer", members, limit), rounds=1, limit=2 * limit)
        proved, better = ours.answer == "proved", ours.seconds * 20 <= bare.seconds
        rows.append(
            Row(f"M1, n = {members}, nothing given", ours.seconds, "z3 Spacer", bare.seconds,
                "20 x quicker" if members == 6 else "", proved and better if members == 6 else None,
                said(stands(ours), over(bare)))
        )  # fmt: skip
    (ours,) = in_turn(proving(M1), rounds=rounds, limit=2 * limit)
    rows.append(
        Row("M1, n = 12, nothing given", ours.seconds, "(Spacer gets no further than 6)", None, "2 s",
            ours.answer == "proved" and ours.seconds <= 2, stands(ours))
    )  # fmt: skip
    return rows


def m3(limit: float, rounds: int) -> list[Row]:
    ours, bare = in_turn(proving(M1), python("peers/m3_z3.py"), rounds=rounds, limit=2 * limit)
    return [
        Row("M1 = M3, any n, nothing given (solving)", ours.solving, "z3, laws of sums and helper by hand", bare.solving,
            "0.5 s", ours.answer == "proved" and ours.solving <= 0.5, said(stands(ours), over(bare)))
    ]  # fmt: skip


def m2(limit: float, rounds: int) -> list[Row]:
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        for layers in (3, 10, 20, 40):
            path = Path(folder) / f"m2_{layers}.rulebook"
            path.write_text(waterfall(layers), encoding="utf-8")
            ours, bare = in_turn(for_(path, 1), python("peers/m2_z3.py", layers), rounds=rounds, limit=limit)
            good = ours.answer == "proved" and ours.solving <= 2 * bare.solving
            rows.append(
                Row(f"M2, k = {layers} (solving)", ours.solving, "z3", bare.solving, "2 x" if layers == 20 else "",
                    good if layers == 20 else None,
                    said(stands(ours), f"whole processes: {ours.seconds:.2f} s beside {bare.seconds:.2f} s"))
            )  # fmt: skip
        path = Path(folder) / "m2_wrong.rulebook"
        path.write_text(waterfall(20, wrong=True), encoding="utf-8")
        ours, bare = in_turn(
            python("ours/search.py", path, 1, 1, limit), python("peers/m2_z3.py", 20, "--wrong"), rounds=rounds, limit=2 * limit
        )
        found = ours.answer == "in_order refuted"
        rows.append(
            Row(
                "M2, k = 20, wrong order refuted (solving)",
                ours.solving,
                "z3",
                bare.solving,
                "",
                None,
                "" if found else ours.answer,
            )
        )
    ours, known = in_turn(proving(M2), python("peers/m2_z3.py", 20), rounds=rounds, limit=limit)
    rows.append(
        Row("M2, any k (solving)", ours.solving, "z3 at k = 20 (it cannot say any k)", known.solving, "no hand lemma",
            ours.answer == "proved", stands(ours))
    )  # fmt: skip
    return rows


def waterfall(layers: int, wrong: bool = False) -> str:
    """M2 with so many layers written out, the last of which is whoever is left; `wrong`: two in the middle out of order."""
    names = [f"layer_{at}" for at in range(1, layers)]
    order = list(names)
    if wrong:
        middle = len(order) // 2
        order[middle - 1], order[middle] = order[middle], order[middle - 1]
    paid = {name: f"(old(Venue.{name}) - Venue.{name})" for name in names}
    first = [
        f"(Venue.{late} = old(Venue.{late}) or {' and '.join(f'Venue.{early} = 0' for early in names[:at])})"
        for at, late in enumerate(names)
        if at
    ]
    first.append(f"(Venue.haircut = old(Venue.haircut) or {' and '.join(f'Venue.{each} = 0' for each in names)})")
    return "\n".join(
        [
            'rulebook "Waterfall" "So many layers, each paying all it has before the next."',
            "asset USD",
            "party Venue, one:",
            *(f"    {name}: balance USD" for name in names),
            "    loss: balance USD = 0",
            "    haircut: USD = 0",
            "action lose(amount: USD):",
            "    require amount >= 0",
            "    collect amount into Venue.loss:",
            *(f"        from Venue.{name}" for name in order),
            "        rest left:",
            "            Venue.haircut += left",
            "claim capped after lose:",
            "    " + " and ".join(f"0 <= Venue.{name} and {paid[name]} >= 0" for name in names),
            "    expect proved",
            "claim complete after lose(amount):",
            "    " + " + ".join(paid.values()) + " + Venue.haircut - old(Venue.haircut) = amount",
            "    expect proved",
            "claim in_order after lose:",
            "    " + " and ".join(first),
            "    expect proved",
            "",
        ]
    )


def broken(limit: float, rounds: int) -> list[Row]:
    """The shortest run that breaks M1x."""
    rows: list[Row] = []
    for members in FIXED:
        ours, bare = in_turn(
            python("ours/shortest.py", M1X, members, "cash_holds", "books_balance", "fund_holds"),
            python("peers/m1_z3.py", "broken", members, 8, limit), rounds=1 if members > 6 else rounds, limit=2 * limit,
        )  # fmt: skip
        events = ", ".join(ours.said.get("events", []))
        note = said("" if ours.answer == "refuted in 5" else f"ours: {ours.answer}", f"z3: {bare.answer}", events)
        kept = ours.answer == "refuted in 5" and ours.solving <= 1
        rows.append(Row(f"M1x, n = {members}, shortest (after start)", ours.solving, "z3", bare.solving, "1 s", kept, note))
    rows[0].note += f"\n      {HAIRCUTS}"
    return rows


def search(limit: float, rounds: int) -> list[Row]:
    rows: list[Row] = []
    for events in (2, 4, 6, 8):
        turns = 1 if events == 8 else rounds
        ours, once, stepwise = in_turn(
            python("ours/search.py", M1, 3, events, limit), python("peers/m1_z3.py", "once", 3, events, limit),
            python("peers/m1_z3.py", "search", 3, events, limit), rounds=turns, limit=2 * limit,
        )  # fmt: skip
        done = [each for each in (once, stepwise) if each.answer == "none"]
        bare = min(done or [once, stepwise], key=lambda each: each.solving)
        name = f"z3, {'one question' if bare is once else 'event by event'} (solving)"
        excluded = ours.answer == "none"
        kept = excluded and (ours.solving <= 60 if events == 8 else ours.solving <= 1.2 * bare.solving)
        note = said("" if excluded else f"ours: {ours.answer}", over(bare))
        rows.append(
            Row(
                f"M1 bounded, n = 3, k = {events} (solving)",
                ours.solving,
                name,
                bare.solving,
                "60 s" if events == 8 else "1.2 x",
                kept,
                note,
            )
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description="The yardstick's models, beside the bare solver.")
    parser.add_argument("--limit", type=float, default=60, help="seconds after which a peer is stopped")
    parser.add_argument("--rounds", type=int, default=3, help="how often each process is run")
    parser.add_argument("--only", choices=("m1", "m2", "m3", "m1x", "search"), help="one part")
    options = parser.parse_args()
    parts = {
        "m1": ("M1: a mini exchange, proved", m1),
        "m3": ("M3: M1 for any number of members", m3),
        "m2": ("M2: a waterfall of capped layers, proved", m2),
        "m1x": ("M1x: one account exempt, the shortest run that breaks a promise", broken),
        "search": ("M1: every run up to a length excluded, no lemma", search),
    }
    for name, (title, part) in parts.items():
        if options.only in (None, name):
            show(f"models_{name}", title, part(options.limit, options.rounds))


if __name__ == "__main__":
    main()
