"""The algebra of units: what multiplying and dividing does to them, and which words are built in.

A unit is a sorted tuple of base units with their powers, `(("USD", 1), ("XBT", -1))`; the empty tuple is a plain number.
"""

from __future__ import annotations

from quicktions import Fraction

Dims = tuple[tuple[str, int], ...]

NONE: Dims = ()
SECONDS: Dims = (("seconds", 1),)
LARGEST_POWER = 8

TIME_UNITS = {
    f"{name}{plural}": Fraction(seconds)
    for name, seconds in (("second", 1), ("minute", 60), ("hour", 3600), ("day", 86_400), ("week", 604_800))
    for plural in ("", "s")
}
BPS = Fraction(1, 10_000)
TYPE_WORDS = ("ratio", "number", "time", "flag")
UNIT_WORDS = frozenset(TIME_UNITS) | {"bps"}


def base(name: str) -> Dims:
    return ((name, 1),)


def combine(a: Dims, b: Dims, sign: int = 1) -> Dims:
    """The unit of a product (`sign` 1) or of a quotient (`sign` -1)."""
    if not b:
        return a
    powers = dict(a)
    for name, power in b:
        powers[name] = powers.get(name, 0) + sign * power
    return tuple(sorted((name, power) for name, power in powers.items() if power))


def too_large(dims: Dims) -> bool:
    return any(abs(power) > LARGEST_POWER for _, power in dims)
