"""Values, places and events in the rulebook's own words: `120 USD per XBT`, `ann.position`, `trade(ann, bob, 1 XBT)`."""

from __future__ import annotations

from typing import Any

from quicktions import Fraction

from specforge.algebra.exact import Cell
from specforge.core import ir

TIME = "seconds"  # the base unit of time
TIME_WORDS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))
DIGITS = 12  # a decimal with more places than this is written as a fraction
Names = dict[str, tuple[str, ...]]


def decimal(value: Fraction) -> str | None:
    """`12.5`; None if the decimal does not end (or not soon)."""
    rest, twos, fives = value.denominator, 0, 0
    while rest % 2 == 0:
        rest, twos = rest // 2, twos + 1
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    places = max(twos, fives)
    if rest != 1 or places > DIGITS:
        return None
    scaled = abs(value.numerator) * 10**places // value.denominator
    whole, part = divmod(scaled, 10**places)
    sign = "-" if value < 0 else ""
    return f"{sign}{whole}" + (f".{part:0{places}d}" if places else "")


def exact(value: Fraction) -> str:
    """`12.5`, or `1/3` where the decimal does not end: for machines."""
    return decimal(value) or f"{value.numerator}/{value.denominator}"


def number(value: Fraction) -> str:
    """`12.5`, `1/3`, and `10_000` grouped as rulebooks do: for people."""
    text = decimal(value)
    if text is None:
        return f"{_grouped(str(value.numerator))}/{_grouped(str(value.denominator))}"
    whole, point, part = text.partition(".")
    return _grouped(whole) + point + part


def _grouped(whole: str) -> str:
    return f"{int(whole):_}" if len(whole.lstrip("-")) > 4 else whole


def _is_ratio(type: ir.Number) -> bool:
    return not type.dims and type.style == "ratio"


def _time_power(type: ir.Number) -> int:
    return dict(type.dims).get(TIME, 0)


def _in_time_units(value: Fraction, type: ir.Number) -> tuple[Fraction, str]:
    """The value and its unit, in the unit of time that makes it shortest: 28800 seconds are 8 hours."""
    power = _time_power(type)
    best: tuple[int, Fraction, str] | None = None
    for size, word in TIME_WORDS:
        scaled = value / Fraction(size) ** power
        length = len(number(scaled)) + (100 if decimal(scaled) is None else 0)
        if best is None or length < best[0]:
            best = (length, scaled, word if power < 0 or abs(scaled) == 1 else word + "s")
    assert best is not None
    others = ir.Number(tuple(each for each in type.dims if each[0] != TIME))
    if power == 1 and not others.dims:
        return best[1], best[2]
    if power < 0:
        return best[1], (others.text() + f" per {best[2]}" * -power).strip()
    return value, type.text()


def amount(value: Fraction, type: ir.Number) -> tuple[str, str]:
    """The figure and its unit, for people: ("80", "USD per XBT"), ("0.5%", ""), ("8", "hours")."""
    if _is_ratio(type):
        percent = decimal(value * 100)
        return (number(value * 100) + "%" if percent is not None else number(value)), ""
    if _time_power(type) and value != 0:
        value, unit = _in_time_units(value, type)
        if unit.startswith("per ") and decimal(value * 100) is not None:
            return number(value * 100) + "%", unit
        return number(value), unit
    return number(value), type.text().removeprefix("1 ")


class Words:
    """Speaks about one system; `names`: what the members of open parties are called."""

    def __init__(self, system: ir.System, names: Names):
        self.system, self.names = system, names

    # -- members, places, events

    def member(self, party: str, index: int) -> str:
        rule = self.system.parties.get(party)
        if rule is not None and rule.members is not None:
            return party if len(rule.members) == 1 else rule.members[index]
        known = self.names.get(party, ())
        return known[index] if index < len(known) else f"{party}{index + 1}"

    def place(self, cell: Cell) -> str:
        """`ann.position`, `ann.size[btc]`, `Venue.mark`, `initial`, `holdings(USD)`."""
        name, member, index = cell
        field = self.system.fields[name]
        if field.party == ir.RULES:
            return name
        text = f"{self.member(field.party, member)}.{field.short}"
        return f"{text}[{self.member(field.per, index)}]" if field.per else text

    def arguments(self, name: str) -> tuple[ir.Argument, ...]:
        rule = self.system.actions.get(name) or self.system.duties.get(name)
        return rule.params if rule is not None else ()

    def call(self, name: str, args: tuple[Any, ...], refused: bool = False) -> str:
        """`deposit(whale, 10 USD)`"""
        values = [self.value(param.type, arg) for param, arg in zip(self.arguments(name), args, strict=False)]
        return f"{name}({', '.join(values)})" + (" refused" if refused else "")

    def picks(self, picks: tuple[tuple[int, ...], ...], party: str | None = None) -> list[str]:
        """The members picked; `party` where it is known, else the only open party."""
        if party is None:
            parties = self.system.open_parties()
            party = parties[0].name if len(parties) == 1 else None
        if party is None:
            return ["/".join(str(index + 1) for index in each) for each in picks]
        return ["/".join(self.member(party, index) for index in each) for each in picks]

    # -- values

    def value(self, type: ir.Type, value: Any) -> str:
        """For people: `120 USD per XBT`, `0.5%`, `8 hours`, `1/3 USD`, `yes`, `ann`."""
        if isinstance(type, ir.Of):
            return self.member(type.party, value)
        if isinstance(type, ir.Flag):
            return "yes" if value else "no"
        figure, unit = amount(value, type)
        return f"{figure} {unit}".strip()

    def cell(self, cell: Cell, value: Any) -> str:
        return self.value(self.system.fields[cell[0]].type, value)

    def change(self, cell: Cell, before: Any, after: Any, arrow: str = "→") -> str:
        """`whale.margin 0 → 10 USD`: the unit once, where both have the same."""
        type = self.system.fields[cell[0]].type
        was, now = self.value(type, before), self.value(type, after)
        if isinstance(type, ir.Number):
            figure, unit = amount(before, type)
            if unit == amount(after, type)[1] or before == 0:
                was = figure
        return f"{self.place(cell)} {was} {arrow} {now}"

    # -- as the rulebook would write it

    def source(self, type: ir.Type, value: Any) -> str:
        """An expression with this value and unit, as a rulebook may write it: `1 USD / 3`."""
        if not isinstance(type, ir.Number):
            return self.value(type, value)
        if value == 0:
            return "0"
        if _is_ratio(type) or not type.dims:
            figure, unit = amount(value, type)
            return f"{figure} {unit}".strip()
        text = decimal(value)
        if set(type.dims) == {(TIME, 1)} and text is not None:
            figure, unit = amount(value, type)
            return f"{figure} {unit}" if decimal(_figure(figure)) is not None else f"{text} seconds"
        top = number(value) if text is not None else _grouped(str(value.numerator))
        bottom = "" if text is not None else f" / {_grouped(str(value.denominator))}"
        return _with_unit(top, type) + bottom


def _figure(text: str) -> Fraction:
    return Fraction(text.replace("_", ""))


def _with_unit(figure: str, type: ir.Number) -> str:
    """The unit spelled so that a literal can carry it: at most one name above, the others multiplied in."""
    up = [name for name, power in type.dims for _ in range(power)]
    down = [name for name, power in type.dims for _ in range(-power)]
    if not up:
        return f"{figure} / (" + " * ".join(f"1 {name}" for name in down) + ")"
    first = f"{figure} {up[0]}" + "".join(f" per {name}" for name in down)
    return first + "".join(f" * 1 {name}" for name in up[1:])
