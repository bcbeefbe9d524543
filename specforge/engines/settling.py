"""Whether every settling ends: something that is counted, which no duty lets rise and which falls whenever some duty acts.

Such a duty acts only so many times.  So it may be left out, and a next measure need not rise for the duties that are left: the
list of measures is read like the digits of a number.  A duty that acts `once` for each member is left out from the beginning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from attrs import evolve

from specforge.algebra.classes import NotAdditive
from specforge.core import ir
from specforge.engines.cases import Book, no
from specforge.engines.shapes import Op, conjuncts, every, never_below_zero, one_line, replaced
from specforge.evidence.certificate import Measure, Settling
from specforge.records import frozen

Shown = Callable[[str, ir.Duty, ir.Expr, bool], bool]
"""Is the expression, judged after each acting of the duty, shown (under that name)?  Yes or no: with all that can be done?"""


@frozen
class Counted:
    """What is counted: the choices of members `over` (a name and a party each) for which `cond` holds."""

    over: tuple[tuple[str, str], ...]
    cond: ir.Expr
    text: str

    def never_rises(self) -> ir.Expr:
        """Whoever is counted now was counted before."""
        result: ir.Expr = ir.Op(Op.OR, (no(self.cond), ir.Old(self.cond)))
        for name, party in reversed(self.over):
            result = every(name, party, result)
        return result

    def falls(self, duty: ir.Duty) -> Iterator[ir.Expr]:
        """Those for whom the duty acts were counted and are no longer, in every way in which they can be meant."""
        for choice in _choices(self.over, duty.params):
            here: object = self.cond
            for name, arg in choice.items():
                here = replaced(here, name, ir.Var(arg))
            yield ir.Op(Op.AND, (ir.Old(here), no(here)))  # type: ignore[arg-type]


def _choices(over: Sequence[tuple[str, str]], params: Sequence[ir.Argument]) -> Iterator[Mapping[str, str]]:
    if not over:
        yield {}
        return
    (name, party), rest = over[0], over[1:]
    for at, param in enumerate(params):
        if isinstance(param.type, ir.Of) and param.type.party == party:
            for others in _choices(rest, [*params[:at], *params[at + 1 :]]):
                yield {name: param.name, **others}


def settles(book: Book, shown: Shown) -> tuple[Settling | None, list[ir.Duty]]:
    """The measures under which every settling ends; or None, and the duties for which none was found."""
    left = [duty for duty in book.system.duties.values() if not duty.once]
    measures: list[Measure] = []
    while left:
        guesses = ((each, thorough) for thorough in (False, True) for each in counted(book, left))
        found = (_measure(each, left, len(measures) + 1, shown, thorough) for each, thorough in guesses)
        measure = next((each for each in found if each is not None), None)
        if measure is None:
            return None, left
        measures.append(measure)
        left = [duty for duty in left if duty.name not in measure.falls]
    return Settling(tuple(measures)), []


def _measure(counted: Counted, left: Sequence[ir.Duty], number: int, shown: Shown, thorough: bool) -> Measure | None:
    name = f"settling {number}"
    falling: dict[str, ir.Expr] = {}
    for duty in left:
        found = next((fall for fall in counted.falls(duty) if shown(f"{name} falls", duty, fall, thorough)), None)
        if found is not None:
            falling[duty.name] = found
    rise = counted.never_rises()
    if not falling or not all(shown(name, duty, rise, thorough) for duty in left):
        return None
    return Measure(name, counted.text, tuple(falling), rise, falling)


def counted(book: Book, left: Sequence[ir.Duty]) -> Iterator[Counted]:
    """Guesses at what falls: who is due, who is not empty, part of what makes a duty due."""
    seen: list[ir.Expr] = []
    for guesses in (_due, _not_empty, _in_part):
        for duty in left:
            for each in guesses(book, duty):
                if each.cond not in seen:
                    seen.append(each.cond)
                    yield each


def _over(duty: ir.Duty, expr: ir.Expr, text: str) -> Counted:
    """`expr` speaks of the duty's members; the count is over any."""
    over: list[tuple[str, str]] = []
    result: object = expr
    for param in duty.params:
        name = f"{param.name}'"  # a name that no text has
        over.append((name, param.type.party))  # type: ignore[union-attr]
        result = replaced(result, param.name, ir.Var(name))
    who = ", ".join(f"{param.name}: {param.type.party}" for param in duty.params)  # type: ignore[union-attr]
    said = f"how many {who} there are with {text}" if who else f"whether {text}"
    return Counted(tuple(over), result, said)  # type: ignore[arg-type]


def _due(book: Book, duty: ir.Duty) -> Iterator[Counted]:
    yield _over(duty, duty.when, one_line(duty.when))


def _in_part(book: Book, duty: ir.Duty) -> Iterator[Counted]:
    parts = conjuncts(duty.when)
    if len(parts) > 1:
        for part in parts:
            yield _over(duty, part, one_line(part))
    if len(parts) > 2:
        for but in parts:
            others = tuple(part for part in parts if part is not but)
            yield _over(duty, ir.Op(Op.AND, others), " and ".join(one_line(each) for each in others))


def _not_empty(book: Book, duty: ir.Duty) -> Iterator[Counted]:
    """Members who hold anything, of what the duty takes from them."""
    fields = book.system.fields
    args = {ir.Var(param.name): param for param in duty.params}
    held: dict[tuple[ir.Expr, ir.Expr | None], dict[ir.Read, None]] = {}
    places = (place for node in ir.walk(duty.body) for place in _places(node))
    for each in (each for each in places if isinstance(fields[each.field].type, ir.Number)):
        if each.member in args and (each.index is None or each.index in args):
            held.setdefault((each.member, each.index), {})[ir.Read(each.field, each.member, each.index)] = None
    for (member, index), reads in held.items():
        alone = evolve(duty, params=tuple(args[each] for each in (member, index) if each is not None))  # type: ignore[index]
        at = "" if index is None else f"[{index.name}]"  # type: ignore[union-attr]
        texts = [f"{member.name}.{fields[each.field].short}{at}" for each in reads]  # type: ignore[union-attr]
        some = [
            ir.Op(Op.LT, (ir.ZERO, each)) if never_below_zero(fields[each.field]) else no(ir.Op(Op.EQ, (each, ir.ZERO)))
            for each in reads
        ]
        if len(some) > 1:
            yield _over(alone, ir.Op(Op.OR, tuple(some)), f"{' or '.join(texts)} not 0")
        for each, text in zip(some, texts, strict=True):
            yield _over(alone, each, f"{text} not 0")


def _places(node: object) -> Iterator[ir.Place]:
    match node:
        case ir.Set(place=place):
            yield place
        case ir.Move(source=source, target=target):
            yield from (each for each in (source, target) if each is not None)
        case _:
            pass


def cycle(left: Sequence[ir.Duty], shown: Shown) -> list[ir.Duty]:
    """Duties each of which may make the next one due, the last one the first: the shortest such ring that is not excluded."""
    wakes: dict[str, list[ir.Duty]] = {}
    for duty in left:
        for other in left:
            counted = _over(other, other.when, "")
            stays = [*counted.falls(duty)] if other is duty else [counted.never_rises()]
            if not any(shown("", duty, each, True) for each in stays):
                wakes.setdefault(duty.name, []).append(other)
    rings = [ring for duty in left if (ring := _ring(duty, wakes))]
    return min(rings, key=len, default=list(left))


def _ring(first: ir.Duty, wakes: Mapping[str, Sequence[ir.Duty]]) -> list[ir.Duty]:
    ways: list[list[ir.Duty]] = [[first]]
    seen: set[str] = set()
    while ways:
        way = ways.pop(0)
        for other in wakes.get(way[-1].name, ()):
            if other is first:
                return way
            if other.name not in seen:
                seen.add(other.name)
                ways.append([*way, other])
    return []


def ring_text(ring: Sequence[ir.Duty]) -> str:
    """`a` may make `b` due again, and `b` may make `a` due again."""
    if len(ring) == 1:
        return f"`{ring[0].name}` may be due again after it has acted"
    pairs = zip(ring, [*ring[1:], ring[0]], strict=True)
    return ", and ".join(f"`{one.name}` may make `{other.name}` due" for one, other in pairs)


__all__ = ["Counted", "NotAdditive", "Settling", "counted", "cycle", "ring_text", "settles"]
