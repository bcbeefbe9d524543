"""A condition of the core as a rulebook would write it: `for all t: Trader: not Venue.stale implies equity(t) >= required(t)`.

What a rulebook has no word for (that an action's duties are still at work, a figure as it was when they began) is said in
words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from quicktions import Fraction

from specforge.core import derived, ir
from specforge.core.substitute import substitute
from specforge.diagnostics.source import Span
from specforge.evidence.words import number
from specforge.records import define

Op = ir.Operator
CHOICE, IMPLIES, OR, AND, NOT, COMPARE, SUM, PRODUCT, UNARY, ATOM = range(10)  # how tightly a form binds
SYMBOLS = {Op.LT: ("<", ">"), Op.LE: ("<=", ">="), Op.EQ: ("=", "=")}
DENIED = {Op.LT: (">=", "<="), Op.LE: (">", "<"), Op.EQ: ("!=", "!=")}
COMPARISON = re.compile(r"(?<![<>=!:])(!=|<=|>=|=|<|>)(?!=)")
Said = tuple[str, int]
Bound = dict[str, ir.Expr]


def built_in() -> list[ir.Function]:
    """The built-in functions as the core has them written out."""
    x, y = ir.Var("?x"), ir.Var("?y")
    one, two = (ir.Argument("?x", ir.Number()),), (ir.Argument("?x", ir.Number()), ir.Argument("?y", ir.Number()))
    makers = {
        "min": derived.minimum, "max": derived.maximum, "floor": derived.floor_to, "ceil": derived.ceil_to,
        "half_even": derived.half_even, "toward_zero": derived.toward_zero,
    }  # fmt: skip
    functions = [ir.Function("abs", one, derived.absolute(x))]
    return functions + [ir.Function(name, two, make(x, y)) for name, make in makers.items()]


@define(eq=False)
class Phrases:
    """Speaks of conditions in the words of one rulebook."""

    system: ir.System

    @cached_property
    def functions(self) -> list[tuple[str, tuple[str, ...], ir.Expr]]:
        """What has a name: the largest definition first."""
        of_text = [ir.Function(name, (), body) for name, body in self.system.lets.items()]
        all_ = [*of_text, *self.system.functions, *built_in()]
        made = [(each.name, tuple(p.name for p in each.params), written_out(each.body)) for each in all_]
        return sorted((each for each in made if not derived.is_atom(each[2])), key=lambda each: -size(each[2]))

    def text(self, expr: ir.Expr) -> str:
        """The condition in one line."""
        return self._condition(written_out(expr), {})

    def said(self, expr: ir.Expr, names: dict[str, str]) -> str:
        """An expression in which `names` stand for something."""
        return self._said(written_out(expr), names)[0]

    def called(self, expr: ir.Expr, names: dict[str, str]) -> str | None:
        """The name that an expression has, with what it is about: `equity(ann)`."""
        return self._call(written_out(expr), names)

    def _condition(self, expr: ir.Expr, names: dict[str, str]) -> str:
        """A condition with, behind it, when it is not said to hold."""
        head = ""
        while isinstance(expr, ir.Fold) and expr.kind is ir.Folding.ALL and expr.body != ir.NO:
            said, expr, names = self._for_all(expr, names)
            head += said
        parts = alternatives(expr)
        settling = [each for each in parts if is_settling(each)]
        rest = [each for each in parts if not is_settling(each)]
        if not settling or not rest:
            return head + self._said(expr, names)[0]
        outside = ", ".join(f"{each.field[3:]}" for each in settling)  # type: ignore[union-attr]
        kept = rest[0] if len(rest) == 1 else ir.Op(Op.OR, tuple(rest), span=expr.span)
        return f"{head}{self._said(kept, names)[0]}, outside the settling of {outside}"

    # -- names

    def _binding(self, names: Mapping[str, str], var: str, party: str) -> dict[str, str]:
        """A short name for a member, that nothing else has here."""
        plain = var.partition("'")[0]
        taken = {*names.values(), *self.system.parties}
        choices = [plain, *(f"{plain}{number}" for number in range(2, 100))]
        return {**names, var: next(each for each in choices if each not in taken)}

    def _for_all(self, expr: ir.Fold, names: dict[str, str]) -> tuple[str, ir.Expr, dict[str, str]]:
        """`for all t, u: Trader where …: `, what it is about, and the names known there."""
        bound = self._binding(names, expr.var, expr.party)
        together = [bound[expr.var]]
        where, body = expr.where, expr.body
        like = (expr.kind, expr.party, ir.YES)
        while isinstance(body, ir.Fold) and (body.kind, body.party, where) == like and body.body != ir.NO:
            bound = self._binding(bound, body.var, body.party)
            together.append(bound[body.var])
            where, body = body.where, body.body
        only = "" if where == ir.YES else f" where {self._said(where, bound)[0]}"
        return f"for all {', '.join(together)}: {expr.party}{only}: ", body, bound

    def _binder(self, expr: ir.Fold, names: dict[str, str]) -> str:
        where = "" if expr.where == ir.YES else f" where {self._said(expr.where, names)[0]}"
        return f"{names[expr.var]}: {expr.party}{where}"

    # -- expressions

    def _in(self, expr: ir.Expr, names: dict[str, str], least: int) -> str:
        said, binds = self._said(expr, names)
        return said if binds >= least else f"({said})"

    def _said(self, expr: ir.Expr, names: dict[str, str]) -> Said:
        call = self._call(expr, names)
        if call is not None:
            return call, ATOM
        match expr:
            case ir.Var(name):
                return names.get(name, name.partition("'")[0]), ATOM
            case ir.Lit():
                return self._literal(expr)
            case ir.Read():
                return self._read(expr, names)
            case ir.Op(Op.NOT, (inner,)):
                return self._denied(inner, names)
            case ir.Op(Op.AND):
                args = tuple(conjuncts(expr)) or (ir.YES,)
                if len(args) == 1:
                    return self._said(args[0], names)
                return " and ".join(self._in(each, names, NOT) for each in args), AND
            case ir.Op(Op.OR):
                return self._either(expr, names)
            case ir.Op(Op.LT | Op.LE | Op.EQ):
                return self._compared(expr, SYMBOLS, names)
            case ir.Op(op, args):
                return self._arithmetic(op, args, names)
            case ir.If(cond, then, orelse):
                first, test = self._in(then, names, IMPLIES), self._in(cond, names, IMPLIES)
                return f"{first} if {test} otherwise {self._in(orelse, names, CHOICE)}", CHOICE
            case ir.Fold():
                return self._fold(expr, names)
            case ir.Old(body):
                return f"old({self._said(body, names)[0]})", ATOM
            case ir.Let(name, value, body):
                return self._said(substitute(body, {name: value}), names)
            case ir.Undefined():
                return "(no value)", ATOM

    def _call(self, expr: ir.Expr, names: dict[str, str]) -> str | None:
        """The expression as a use of something that has a name."""
        if derived.is_atom(expr):
            return None
        for name, params, body in self.functions:
            bound: Bound = {}
            if fits(body, expr, frozenset(params), bound) and all(param in bound for param in params):
                args = ", ".join(self._said(bound[param], names)[0] for param in params)
                return f"{name}({args})" if params else name
        return None

    def _literal(self, expr: ir.Lit) -> Said:
        value = expr.value
        if isinstance(value, bool):
            return ("yes" if value else "no"), ATOM
        if isinstance(value, ir.Member):
            return self._member(value), ATOM
        assert isinstance(value, Fraction)
        text = one_line(expr.span)
        if not text or value == 0:
            text = number(value)
        return text, UNARY if text.startswith("-") else PRODUCT if "/" in text else ATOM

    def _member(self, member: ir.Member) -> str:
        party = self.system.parties[member.party]
        if party.members is not None:
            prefix = party.name.rpartition(".")[0]
            return f"{prefix}.{party.members[member.index]}" if prefix else party.members[member.index]
        return party.named[member.index].name if member.index < len(party.named) else f"{party.name} {member.index + 1}"

    def _read(self, expr: ir.Read, names: dict[str, str]) -> Said:
        kind, _, of = expr.field.partition(":")
        index = "" if expr.index is None else f"[{self._said(expr.index, names)[0]}]"
        if not of:
            field = self.system.fields[expr.field]
            if field.party == ir.RULES:
                return expr.field, ATOM
            return f"{self._of(expr.member, names)}.{field.short}{index}", ATOM
        if kind == "by":
            return f"{of} is settling", COMPARE
        if kind == "acted":
            who = "" if isinstance(expr.member, ir.Lit) else f"({self._said(expr.member, names)[0]})"
            return f"{of}{who} has acted", COMPARE
        field = self.system.fields[of]
        return f"{self._of(expr.member, names)}.{field.short}{index} as the settling began", COMPARE

    def _of(self, member: ir.Expr, names: dict[str, str]) -> str:
        """What stands before the dot."""
        return self._in(member, names, ATOM)

    # -- conditions

    def _either(self, expr: ir.Op, names: dict[str, str]) -> Said:
        """`A implies B` where the text says so, or where no text says otherwise and it reads well."""
        text_has_it = bool(one_line(expr.span))
        parts = list(expr.args) if text_has_it else alternatives(expr)
        first, last = parts[:-1], parts[-1]
        if not (is_implication(expr) if text_has_it else first and all(is_premise(each) for each in first)):
            return " or ".join(self._in(each, names, AND) for each in parts), OR
        premises = [p for each in first for p in conjuncts(denial(each))]
        premise = premises[0] if len(premises) == 1 else ir.Op(Op.AND, tuple(premises))
        return f"{self._in(premise, names, OR)} implies {self._in(last, names, IMPLIES)}", IMPLIES

    def _denied(self, inner: ir.Expr, names: dict[str, str]) -> Said:
        match inner:
            case ir.Op(Op.NOT, (again,)):
                return self._said(again, names)
            case ir.Op(Op.LT | Op.LE | Op.EQ) if self._call(inner, names) is None:
                return self._compared(inner, DENIED, names)
            case ir.Fold(ir.Folding.ALL, body=body) if body == ir.NO:
                bound = self._binding(names, inner.var, inner.party)
                return f"(exists {self._binder(inner, bound)})", ATOM
            case ir.Read(field=field) if field.startswith(("by:", "acted:")):
                said = self._said(inner, names)[0]
                return said.replace(" is settling", " is not settling").replace(" has acted", " has not acted"), COMPARE
            case _:
                return f"not {self._in(inner, names, COMPARE)}", NOT

    def _compared(self, expr: ir.Op, symbols: Mapping[Op, tuple[str, str]], names: dict[str, str]) -> Said:
        """As the text has it (which may have turned it round), else with the number on the right."""
        a, b = expr.args
        symbol, turned = symbols[expr.op]
        as_written = written_operator(one_line(expr.span))
        if as_written in (">", ">=") if as_written else isinstance(a, ir.Lit) and not isinstance(b, ir.Lit):
            a, b, symbol = b, a, turned
        return f"{self._in(a, names, SUM)} {symbol} {self._in(b, names, SUM)}", COMPARE

    # -- numbers

    def _arithmetic(self, op: Op, args: Sequence[ir.Expr], names: dict[str, str]) -> Said:
        if op is Op.FLOOR:
            return f"floor({self._said(args[0], names)[0]}, 1)", ATOM
        a, b = args
        match op:
            case Op.MUL if ir.ONE in (a, b):
                return self._said(b if a == ir.ONE else a, names)
            case Op.SUB if a == ir.ZERO:
                return f"-{self._in(b, names, UNARY)}", UNARY
            case Op.ADD | Op.SUB:
                return f"{self._in(a, names, SUM)} {op.value} {self._in(b, names, PRODUCT)}", SUM
            case _:
                return f"{self._in(a, names, PRODUCT)} {op.value} {self._in(b, names, UNARY)}", PRODUCT

    def _fold(self, expr: ir.Fold, names: dict[str, str]) -> Said:
        bound = self._binding(names, expr.var, expr.party)
        binder = self._binder(expr, bound)
        only = self.system.parties[expr.party].members
        match expr.kind:
            case ir.Folding.SUM if only is not None and len(only) == 1 and expr.where == ir.YES:
                return self._said(substitute(expr.body, {expr.var: ir.Lit(ir.Member(expr.party, 0))}), names)
            case ir.Folding.ALL if expr.body == ir.NO:
                return f"not (exists {binder})", NOT
            case ir.Folding.ALL:
                head, body, bound = self._for_all(expr, names)
                return head + self._said(body, bound)[0], CHOICE
            case ir.Folding.SUM if expr.body == ir.ONE:
                return f"(count of {binder})", ATOM
            case kind:
                return f"({kind.value} of {self._said(expr.body, bound)[0]} for {binder})", ATOM


# ---------------------------------------------------------------- texts


def one_line(span: Span) -> str:
    """The rulebook's own text at `span`, in one line."""
    return " ".join(re.sub(r"#[^\n]*", "", span.text).split())


def sides_of(text: str) -> tuple[str, str, str] | None:
    """Left, operator and right of the one comparison outside all brackets of `text`; None if there is not exactly one."""
    depth, found = 0, list[re.Match[str]]()
    for match in re.finditer(r"[()\[\]]|" + COMPARISON.pattern, text):
        if match[0] in "([":
            depth += 1
        elif match[0] in ")]":
            depth -= 1
        elif depth == 0:
            found.append(match)
    if len(found) != 1:
        return None
    return text[: found[0].start()].strip(), found[0][0], text[found[0].end() :].strip()


def written_operator(text: str) -> str | None:
    sides = sides_of(text)
    return sides[1] if sides else None


# ---------------------------------------------------------------- taking expressions apart


def written_out(expr: ir.Expr) -> ir.Expr:
    """Without local definitions: each stands where it is used."""
    match expr:
        case ir.Let(name, value, body):
            return written_out(substitute(body, {name: value}))
        case ir.Read(field, member, index):
            return ir.Read(field, written_out(member), None if index is None else written_out(index), span=expr.span)
        case ir.Op(op, args):
            return ir.Op(op, tuple(written_out(each) for each in args), expr.of, span=expr.span)
        case ir.If(cond, then, orelse):
            return ir.If(written_out(cond), written_out(then), written_out(orelse), span=expr.span)
        case ir.Fold(kind, var, party, where, body):
            return ir.Fold(kind, var, party, written_out(where), written_out(body), span=expr.span)
        case ir.Old(body):
            return ir.Old(written_out(body), span=expr.span)
        case _:
            return expr


def size(expr: ir.Expr) -> int:
    return sum(1 for _ in ir.walk(expr))


def fits(pattern: ir.Expr, expr: ir.Expr, params: frozenset[str], bound: Bound) -> bool:
    """Is `expr` the pattern with something in the place of each parameter?"""
    match pattern, expr:
        case ir.Var(name), _ if name in params:
            return bound.setdefault(name, expr) == expr
        case ir.Read(field, member, index), ir.Read(other, of, at):
            if field != other or (index is None) != (at is None):
                return False
            return fits(member, of, params, bound) and (index is None or at is None or fits(index, at, params, bound))
        case ir.Op(op, args), ir.Op(other, given):
            return op is other and len(args) == len(given) and _all_fit(args, given, params, bound)
        case ir.If(a, b, c), ir.If(x, y, z):
            return _all_fit((a, b, c), (x, y, z), params, bound)
        case ir.Fold(kind, var, party, where, body), ir.Fold(k, v, p, w, b):
            if (kind, party) != (k, p):
                return False
            same = {v: ir.Var(var)} if v != var else {}
            return _all_fit((where, body), (substitute(w, same), substitute(b, same)), params, bound)
        case ir.Old(body), ir.Old(other):
            return fits(body, other, params, bound)
        case _:
            return pattern == expr


def _all_fit(patterns: Sequence[ir.Expr], given: Sequence[ir.Expr], params: frozenset[str], bound: Bound) -> bool:
    return all(fits(a, b, params, bound) for a, b in zip(patterns, given, strict=True))


def alternatives(expr: ir.Expr) -> list[ir.Expr]:
    if isinstance(expr, ir.Op) and expr.op is Op.OR:
        return [part for each in expr.args for part in alternatives(each)]
    return [expr]


def conjuncts(expr: ir.Expr) -> Iterator[ir.Expr]:
    if isinstance(expr, ir.Op) and expr.op is Op.AND:
        for each in expr.args:
            yield from conjuncts(each)
    elif expr != ir.YES:
        yield expr


def is_settling(expr: ir.Expr) -> bool:
    return isinstance(expr, ir.Read) and expr.field.startswith("by:")


def is_implication(expr: ir.Op) -> bool:
    """The text says `A implies B`: no "not" of its own stands before A."""
    first = expr.args[0]
    if len(expr.args) != 2 or not (isinstance(first, ir.Op) and first.op is Op.NOT):
        return False
    return first.args[0].span == first.span or not first.span.text.startswith("not")


def is_premise(expr: ir.Expr) -> bool:
    """Its denial reads well before `implies`; and no text says that `or` is meant."""
    return isinstance(expr, ir.Read) or (isinstance(expr, ir.Op) and expr.op in (Op.NOT, Op.EQ))


def denial(expr: ir.Expr) -> ir.Expr:
    if isinstance(expr, ir.Op) and expr.op is Op.NOT:
        return expr.args[0]
    return ir.Op(Op.NOT, (expr,))


__all__ = ["Phrases", "one_line", "sides_of", "written_operator", "written_out"]
