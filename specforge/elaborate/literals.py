"""Numbers as written: `8 hours`, `100 USD per BTC`, `25 bps`, `5% per day`."""

from __future__ import annotations

from quicktions import Fraction

from specforge.core import ir
from specforge.diagnostics.codes import Code
from specforge.diagnostics.diagnostic import Label
from specforge.elaborate import expressions, names, types, units
from specforge.elaborate.names import Scope, Unit
from specforge.syntax import tree


def number(node: tree.Number, scope: Scope) -> types.Typed:
    value, dims, style = node.value, units.NONE, "number"
    if node.unit is None:
        kind = types.NUMBER if value else types.ZERO
        if value:
            scope.context.literals.setdefault((value, types.NUMBER))
        return ir.Lit(value, span=node.span), kind
    if node.unit.text == "bps":
        value, style = value * units.BPS, "ratio"
    else:
        factor, dims = _unit(node.unit, scope)
        value *= factor
    for each in node.per:
        factor, below = _unit(each, scope)
        value, dims = value / factor, units.combine(dims, below, -1)
    if units.base("") in (dims,) or any(name == "" for name, _ in dims):
        return expressions.hole(node.span)
    kind = types.number(dims, style)
    scope.context.literals.setdefault((value, kind))
    return ir.Lit(value, span=node.span), kind


def _unit(name: tree.Name, scope: Scope) -> tuple[Fraction, units.Dims]:
    """A unit after a number: what to multiply the number by, and the base unit ("" when unknown)."""
    if name.text in units.TIME_UNITS:
        return units.TIME_UNITS[name.text], units.SECONDS
    thing = scope.book.things.get(name.text)
    if isinstance(thing, Unit):
        scope.context.used(name.span, thing.name)
        return Fraction(1), units.base(name.text)
    if thing is not None:
        names.wrong_kind(scope.context, name.span, thing, "unit")
    else:
        known = [each for each, thing in scope.book.things.items() if isinstance(thing, Unit)]
        message = f"there is no asset or unit called `{name.text}`"
        names.unknown(scope.context, Code.SF207, message, name, [*known, *sorted(units.UNIT_WORDS)])
    return Fraction(1), units.base("")


def percent(node: tree.Percent, scope: Scope) -> types.Typed:
    if node.per is None:
        scope.context.literals.setdefault((node.value, types.RATIO))
        return ir.Lit(node.value, span=node.span), types.RATIO
    factor = units.TIME_UNITS.get(node.per.text)
    if factor is None:
        scope.context.report(
            Code.SF317,
            f"`{node.per.text}` is not a unit of time",
            Label(node.per.span, "a rate is per seconds, minutes, hours, days or weeks"),
        )
        return expressions.hole(node.span)
    kind = types.number(units.combine(units.NONE, units.SECONDS, -1))
    scope.context.literals.setdefault((node.value / factor, kind))
    return ir.Lit(node.value / factor, span=node.span), kind
