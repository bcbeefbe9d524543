"""Conditions in plain words: `Venue.hole is 0`, `profit(ann) was above 0 before`; and what is compared with what."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import groupby
from typing import Any

from attrs import field

from specforge.core import ir
from specforge.diagnostics.source import NOWHERE, Span
from specforge.evidence.phrases import Phrases, one_line, sides_of, written_operator
from specforge.evidence.words import Words
from specforge.records import define, frozen

Op = ir.Operator
Env = dict[str, Any]
SYMBOLS = {Op.LT: "<", Op.LE: "<=", Op.EQ: "="}
DENIED = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "=": "!=", "!=": "="}
TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "!=": "!="}
IN_WORDS = {"<": "below", "<=": "at most", ">": "above", ">=": "at least"}
OLD = re.compile(r"(?<![\w.])old\(")


@frozen
class Compared:
    """A comparison as people say it: what it is about, and its limit.  `past`: it speaks of the state before."""

    about: ir.Expr
    name: str
    symbol: str
    limit: ir.Expr
    limit_name: str
    constant: bool  # the limit is a figure, or a word of a list
    past: bool

    @property
    def was_before(self) -> bool:
        """The limit is what something was before."""
        return isinstance(self.limit, ir.Old) and not self.past

    def relation(self) -> str:
        """`at most 5 USD`, `equal to b`, `not 0`: what stands behind "is" and "should be"."""
        limit = self.limit_name
        if self.was_before:
            inner = without_old(limit)
            limit = "what it was before" if inner == self.name else f"what {inner} was before"
        if self.symbol in IN_WORDS:
            return f"{IN_WORDS[self.symbol]} {limit}"
        if self.constant or self.was_before:
            return limit if self.symbol == "=" else f"not {limit}"
        return f"equal to {limit}" if self.symbol == "=" else f"different from {limit}"


@define(eq=False)
class Sayings:
    """Says parts of what is written at `home`, with the names of members for those bound in it."""

    words: Words
    home: Span
    called: dict[str, str] = field(factory=dict[str, str])  # what stands for a name that is no member

    @cached_property
    def phrases(self) -> Phrases:
        return Phrases(self.words.system)

    # -- texts

    def written_here(self, expr: ir.Expr) -> bool:
        """The text has it here; a definition's own text speaks of names that mean nothing, or others, here."""
        span, home = expr.span, self.home
        return span is not NOWHERE and span.file is home.file and home.start <= span.start < span.end <= home.end

    def text(self, expr: ir.Expr, env: Env) -> str:
        """`expr` as the text has it, with the members that its names stand for."""
        if not self.written_here(expr):
            return self.phrases.said(expr, self._names(expr, env))
        text = one_line(expr.span)
        for name, member in self._members(expr, env).items():
            plain = name.partition("'")[0]
            text = re.sub(rf"(?<![\w.]){re.escape(plain)}(?![\w(])", member, text)
        return text

    def _names(self, expr: ir.Expr, env: Env) -> dict[str, str]:
        return {**self.called, **self._members(expr, env)}

    def _members(self, expr: ir.Expr, env: Env) -> dict[str, str]:
        """The members that names in `expr` stand for, where it uses them as members."""
        parties: dict[str, str] = {}
        for node in ir.walk(expr):
            match node:
                case ir.Read(name, member, index) if name in self.words.system.fields:
                    about = self.words.system.fields[name]
                    ends = ((member, about.party), (index, about.per))
                case ir.Op(_, args, ir.Of(party)):
                    ends = tuple((each, party) for each in args)
                case _:
                    continue
            parties |= {end.name: party for end, party in ends if isinstance(end, ir.Var) and party and end.name in env}
        return {name: self.words.member(party, env[name]) for name, party in parties.items()}

    # -- comparisons

    def compared(self, expr: ir.Op, env: Env, holds: bool = True, past: bool = False) -> Compared | None:
        """A comparison (`holds`: or its denial) the way round it is said; None where the text has a name for it as a whole."""
        a, b = expr.args
        symbol = SYMBOLS[expr.op]
        if written_operator(one_line(expr.span)) in (">", ">="):  # `a >= b` is kept as `b <= a`
            a, b, symbol = b, a, TURNED[symbol]
        names = self.text(a, env), self.text(b, env)
        if self.written_here(expr):
            sides = sides_of(self.text(expr, env))
            if sides is None:
                return None
            names = sides[0], sides[2]
        symbol = symbol if holds else DENIED[symbol]
        before = [self._is_before(each) for each in (a, b)]
        past = past or (any(before) and all(was or self._is_fixed(each) for was, each in zip(before, (a, b), strict=True)))
        if self._is_constant(a, names[0]) or (before[0] and not past):
            a, b, symbol, names = b, a, TURNED[symbol], names[::-1]
        left, right = (with_before(each, past) for each in names)
        if isinstance(b, ir.Old) and not past:
            right = names[1]
        return Compared(a, left, symbol, b, right, self._is_constant(b, right), past)

    def _is_constant(self, expr: ir.Expr, text: str) -> bool:
        """A figure or a word of a list, not one that has a name."""
        if any(isinstance(each, (ir.Read, ir.Var, ir.Fold, ir.Old, ir.Let)) for each in ir.walk(expr)):
            return False
        return not text[:1].isalpha() or (isinstance(expr, ir.Lit) and isinstance(expr.value, bool | ir.Member))

    def _is_fixed(self, expr: ir.Expr) -> bool:
        """The same before and after."""
        fields = self.words.system.fields
        reads = [each.field for each in ir.walk(expr) if isinstance(each, ir.Read)]
        return all(each in fields and fields[each].kind is ir.Kind.PARAMETER for each in reads)

    def _is_before(self, expr: ir.Expr) -> bool:
        """It speaks of the state before, and of nothing after it."""
        match expr:
            case ir.Old():
                return True
            case ir.Op(_, args):
                parts = [self._is_before(each) for each in args]
                return any(parts) and all(was or self._is_fixed(each) for was, each in zip(parts, args, strict=True))
            case _:
                return False

    def who_is_who(self, expr: ir.Expr) -> bool:
        """It compares members that have names here: nothing that a reader does not see."""
        match expr:
            case ir.Op(Op.NOT, (inner,)):
                return self.who_is_who(inner)
            case ir.Op(Op.EQ, args, ir.Of()):
                return all(isinstance(each, ir.Var) for each in args)
            case _:
                return False

    # -- conditions

    def holds(self, expr: ir.Expr, env: Env, really: bool = True, past: bool = False) -> str:
        """That `expr` holds (`really` no: that it does not); empty if it only says who is who."""
        is_ = "was" if past else "is"
        if self.who_is_who(expr):
            return ""
        match expr:
            case ir.Op(Op.NOT, (inner,)):
                return self.holds(inner, env, not really, past)
            case ir.Old(body):
                said = self.holds(body, env, really, True)
                return said and f"{said} before"
            case ir.Read(name) if ":" in name:
                return self.phrases.said(expr if really else ir.Op(Op.NOT, (expr,)), self._names(expr, env))
            case ir.Read():
                return f"{self.text(expr, env)} {is_} {'yes' if really else 'no'}"
            case _:
                pass
        name = self.name_of(expr, env)
        if name:
            held, not_held = ("held", "did not hold") if past else ("holds", "does not hold")
            return f"{name} {held if really else not_held}"
        match expr:
            case ir.Op(Op.AND | Op.OR as op, args):
                parts = [said for each in args if (said := self.holds(each, env, really, past))]
                return together(parts) if really is (op is Op.AND) else either(parts)
            case ir.Op(op) if op in SYMBOLS:
                compared = self.compared(expr, env, really, past)
                assert compared is not None
                before = " before" if compared.past and not past else ""
                return f"{compared.name} {'was' if compared.past else 'is'} {compared.relation()}{before}"
            case ir.Let(name, value, body):
                self.called[name] = self.text(value, env)
                return self.holds(body, env, really, past)
            case ir.Fold(ir.Folding.ALL):
                return self._of_all(expr, env, really, past)
            case _:
                return f"{self.text(expr, env)} {is_} {'yes' if really else 'no'}"

    def name_of(self, expr: ir.Expr, env: Env) -> str:
        """What a definition or the text calls a condition that it does not spell out here."""
        if not self.written_here(expr):
            return self.phrases.called(expr, self._names(expr, env)) or ""
        if isinstance(expr, ir.Op) and expr.op in SYMBOLS and self.compared(expr, env) is None:
            return self.text(expr, env)
        return ""

    def _of_all(self, expr: ir.Fold, env: Env, really: bool, past: bool) -> str:
        if expr.body == ir.NO:
            some = "was" if past else "is"
            return f"there {some} {'no' if really else article(expr.party)} {self.member(expr, env, past)}"
        body = self.holds(expr.body, env, really, past)
        return f"for {'every' if really else 'some'} {self.member(expr, env, past)}, {body}"

    def member(self, expr: ir.Fold, env: Env, past: bool) -> str:
        """`Trader t where t.margin is above 0`: of whom a sentence about all speaks."""
        where = "" if expr.where == ir.YES else self.holds(expr.where, env, True, past)
        return f"{expr.party} {expr.var.partition(chr(39))[0]}" + (f" where {where}" if where else "")


# ---------------------------------------------------------------- putting together


def together(parts: Iterable[str]) -> str:
    """`a is 0, b and c hold`; parted more clearly where one of them has parts itself."""
    said: list[str] = []
    for verb, group in groupby(parts, lambda part: next((each for each in VERBS if part.endswith(each)), "")):
        texts = list(group)
        if verb and len(texts) > 1:
            texts = [listed([each.removesuffix(verb) for each in texts]) + VERBS[verb]]
        said += texts
    if len(said) > 1 and any(map(has_parts, said)):
        return "; and ".join(said)
    return listed(said)


def has_parts(said: str) -> bool:
    """A comma behind it would not show where it ends."""
    return said.startswith(("either ", "for ")) or "; " in said


VERBS = {
    " does not hold": " do not hold", " holds": " hold", " did not hold": " did not hold", " held": " held",
    " held before": " held before",
}  # fmt: skip


def listed(parts: Sequence[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def either(parts: Sequence[str]) -> str:
    return f"either {', or '.join(parts)}" if len(parts) > 1 else "".join(parts)


def article(noun: str) -> str:
    return "an" if noun[:1] in "AEIO" else "a"


# ---------------------------------------------------------------- the state before, in a text


def without_old(text: str) -> str:
    """`profit(ann)` for `old(profit(ann))`"""
    return text[4:-1] if text.startswith("old(") and _closing(text, 4) == len(text) - 1 else text


def with_before(text: str, past: bool) -> str:
    """`a - (b before)` for `a - old(b)`; `past`: the sentence itself speaks of the state before, so that `a - b` will do."""
    whole = without_old(text)
    if past and whole != text:
        return whole
    while (match := OLD.search(text)) is not None:
        end = _closing(text, match.end())
        inner = text[match.end() : end]
        head, tail = text[: match.start()], text[end + 1 :]
        said = inner if re.fullmatch(r"[\w.]+(\([^()]*\)|\[[^\[\]]*\])?", inner) else f"({inner})"
        said = said if past else f"{said} before"
        text = head + (said if past or (head.endswith("(") and tail.startswith(")")) else f"({said})") + tail
    return text


def _closing(text: str, start: int) -> int:
    """Where the bracket closes that opened before `start`."""
    depth = 1
    for at in range(start, len(text)):
        depth += (text[at] in "([") - (text[at] in ")]")
        if depth == 0:
            return at
    return len(text)
