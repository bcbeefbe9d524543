"""Units and types as written: `USD per BTC`, `flag`, `Market`."""

from __future__ import annotations

from specforge.core import ir
from specforge.diagnostics.codes import Code
from specforge.diagnostics.diagnostic import Label
from specforge.diagnostics.source import Span
from specforge.elaborate import names, types, units
from specforge.elaborate.names import Book, Party, Unit
from specforge.syntax import tree


def resolve_unit(book: Book, path: tree.Path) -> types.Type:
    """A unit inside a product or quotient."""
    if len(path.parts) == 1:
        text = path.parts[0].text
        if text in ("ratio", "number"):
            return types.number(units.NONE, text)
        if text == "time" or text in units.TIME_UNITS:
            return types.TIME
    thing = names.find_path(book, path, Code.SF207, "asset or unit", lambda each: isinstance(each, Unit))
    return types.number(units.base(thing.name.text)) if isinstance(thing, Unit) else types.HOLE


def resolve_quantity(book: Book, written: tree.Quantity) -> types.Type:
    """`USD per BTC`, `flag`, `Market`."""
    first = written.times[0]
    if len(written.times) == 1 and not written.per:
        if first.text == "flag":
            return types.FLAG
        if first.text in units.TYPE_WORDS:
            return resolve_unit(book, first)
        thing = names.find_path(book, first, Code.SF207, "type", lambda each: isinstance(each, Unit | Party))
        if isinstance(thing, Party):
            return ir.Of(thing.full)
        return types.number(units.base(thing.name.text)) if isinstance(thing, Unit) else types.HOLE
    result = resolve_unit(book, first)
    for path in written.times[1:]:
        result = types.product(result, resolve_unit(book, path), 1)
    for path in written.per:
        result = types.product(result, resolve_unit(book, path), -1)
    if isinstance(result, ir.Number) and units.too_large(result.dims):
        report_power(book.context, result, written.span)
    return result


def report_power(context: names.Context, kind: ir.Number, span: Span) -> None:
    name, power = max(kind.dims, key=lambda each: abs(each[1]))
    context.report(
        Code.SF413,
        f"the unit `{name}` to the power {power} is beyond {units.LARGEST_POWER}",
        Label(span, "too many factors"),
    )
