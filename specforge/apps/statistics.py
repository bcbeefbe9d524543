"""What random runs come to: how often each action, duty, tier and state to be reached happened, and what never did."""

from __future__ import annotations

from typing import Any

from specforge.diagnostics.source import NOWHERE, Span
from specforge.engines.simulate import Statistics
from specforge.evidence.layout import Cell, Column, Layout, columns
from specforge.evidence.report_json import span_json
from specforge.evidence.report_text import place_of, plural, seconds


def statistics_text(statistics: Statistics, seed: int, members: int, steps: int, layout: Layout) -> str:
    """A line for the runs, then one for everything that may happen in them."""
    rate = f", {statistics.accepted / statistics.seconds:_.0f} actions a second" if statistics.seconds > 0.2 else ""
    head = (
        f"{plural(statistics.runs, 'random run')} of up to {plural(steps, 'action')}, {plural(members, 'member')}, "
        f"seed {seed}: {plural(statistics.accepted, 'action')} taken, {statistics.events - statistics.accepted:_} refused, "
        f"duties acted {times(statistics.firings)} ({seconds(statistics.seconds)}{rate})"
    )
    rows: list[list[Cell]] = []
    for name, count in statistics.actions.items():
        refused = count.tried - count.accepted
        said = times(count.accepted) + (f", refused {times(refused)}" if refused else "")
        rows.append(_row("action", name, said, count.accepted))
    for kind, counts in (("duty", statistics.duties), ("tier", statistics.tiers)):
        rows += [_row(kind, name, times(count), count) for name, count in counts.items()]
    for name, count in statistics.reached.items():
        rows.append(_row("reach", name, f"reached in {plural(count, 'run')}", count))
    for name, count in statistics.broken.items():
        said = f"broken in {plural(count, 'run')}, nothing given" if count else "never broken"
        rows.append([Cell("claim", "dim"), Cell(name), Cell(said, "broken" if count else "")])
    for (defect, place), count in statistics.defects.items():
        where = f" at {place_of(place)}" if isinstance(place, Span) and place is not NOWHERE else ""
        rows.append([Cell("defect", "bad"), Cell(defect.value), Cell(times(count) + where, "bad")])
    return "\n".join([*layout.wrapped(head), "", *columns(layout, [Column(), Column(most=40), Column(flex=True)], rows, 2)])


def times(count: int) -> str:
    return {0: "never", 1: "once"}.get(count, f"{count:_} times")


def _row(kind: str, name: str, said: str, count: int) -> list[Cell]:
    return [Cell(kind, "dim"), Cell(name), Cell(said if count else "never", "" if count else "weak")]


def statistics_json(statistics: Statistics, seed: int, members: int, steps: int) -> dict[str, Any]:
    return {
        "runs": statistics.runs,
        "seed": seed,
        "members": members,
        "steps": steps,
        "tried": statistics.events,
        "accepted": statistics.accepted,
        "fired": statistics.firings,
        "seconds": round(statistics.seconds, 3),
        "actions": {
            name: {"tried": each.tried, "accepted": each.accepted} for name, each in statistics.actions.items()
        },
        "duties": statistics.duties,
        "tiers": statistics.tiers,
        "reached": statistics.reached,
        "broken": statistics.broken,
        "defects": [
            {"check": defect.value, "span": span_json(place) if isinstance(place, Span) else None, "times": count}
            for (defect, place), count in statistics.defects.items()
        ],
    }
