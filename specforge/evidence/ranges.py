"""What matters in a counterexample: for every picked value the range in which it may lie, in words; nothing is guessed."""

from __future__ import annotations

import math

from quicktions import Fraction

from specforge.algebra.edges import Interval
from specforge.core import ir
from specforge.evidence.simplify import ranges, type_at, value_at
from specforge.evidence.trace import Trace
from specforge.evidence.words import Words

LONG, PLACES = 10**9, 6  # an end is too long to read with a denominator from here on; digits it is then given with

def annotated(system: ir.System, trace: Trace, deadline: float) -> Trace:
    """The trace with a note at each step whose values may be others, and with what may start at anything."""
    words = Words(system, trace.names)
    notes: dict[int, list[str]] = {}
    free: list[str] = []
    events = [at for at, step in enumerate(trace.steps) if not step.duty]
    for spot, interval in ranges(system, trace, deadline):
        type = type_at(system, trace.plan, spot)
        assert isinstance(type, ir.Number)
        if spot.cell is None:
            if spot.event < len(events):
                name = system.actions[trace.plan.events[spot.event].action].params[spot.arg].name
                said = in_words(words, type, interval, value_at(trace.plan, spot), name)
                if said:
                    notes.setdefault(events[spot.event], []).append(said)
        else:
            place = words.place(spot.cell)
            said = in_words(words, type, interval, value_at(trace.plan, spot), place)
            if said:
                free.append(said)
    return trace.with_notes({at: "; ".join(said) for at, said in notes.items()}, (*trace.free, *free))


def in_words(words: Words, type: ir.Number, interval: Interval, value: Fraction, name: str) -> str:
    """`any price below 90 USD per XBT does`; empty if only this value does."""
    interval = _plain(interval, value)
    low, high = interval.low, interval.high
    if low == high == value:
        return ""
    if low is None and high is None:
        return f"any {name} does"
    from_zero = low == 0 and value > 0
    if high is None and from_zero:
        return f"any {name} above 0 does" if interval.low_open else f"any {name} from 0 up does"
    if high is None:
        assert low is not None
        start = words.value(type, low)
        return f"any {name} above {start} does" if interval.low_open else f"any {name} from {start} up does"
    if low is None or (from_zero and interval.low_open):
        return f"any {name} {'below' if interval.high_open else 'up to'} {words.value(type, high)} does"
    start, end = words.value(type, low), words.value(type, high)
    if interval.low_open and interval.high_open:
        return f"any {name} between {start} and {end} does"
    if interval.low_open:
        return f"any {name} above {start}, up to {end}, does"
    return f"any {name} from {start}, below {end}, does" if interval.high_open else f"any {name} from {start} to {end} does"


def _plain(interval: Interval, value: Fraction) -> Interval:
    """No more than the interval, with ends that can be read: those that are too long are moved towards the value."""
    low, low_open = _end(interval.low, interval.low_open, value, 1)
    high, high_open = _end(interval.high, interval.high_open, value, -1)
    return Interval(low, low_open, high, high_open)


def _end(end: Fraction | None, open_: bool, value: Fraction, way: int) -> tuple[Fraction | None, bool]:
    if end is None or end.denominator < LONG:
        return end, open_
    digits = PLACES - len(str(abs(end.numerator) // end.denominator))
    scaled = end * way * Fraction(10) ** digits
    moved = way * math.ceil(scaled) / Fraction(10) ** digits
    return (value, False) if (value - moved) * way <= 0 else (moved, False)
