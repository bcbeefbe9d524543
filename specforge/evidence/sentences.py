"""The sentences of a rulebook that a proof may need, one by one, as a reader recognises them."""

from __future__ import annotations

import re
from typing import Any

from attrs import field

from specforge.core import ir
from specforge.diagnostics.source import NOWHERE, Span
from specforge.records import frozen

Key = tuple[str, Any]  # ("span", of a statement), ("when" or "listens", a duty), ("field", a field or parameter)
LONGEST = 100


@frozen
class Sentence:
    """`kind`: "parameter", "bound", "duty", "when", "require", "change", "tier" or "assumption"; `text`: its first line."""

    kind: str
    text: str
    span: Span = field(eq=False, repr=False)
    key: Key = field(repr=False)


def sentences(system: ir.System) -> list[Sentence]:
    """All of them, in the order of the text."""
    found: dict[Key, Sentence] = {}

    def add(kind: str, span: Span, key: Key, said: str = "") -> None:
        text = said or first_line(span)
        if span is not NOWHERE and text:
            found.setdefault(key, Sentence(kind, text, span, key))

    for each in system.fields.values():
        bounded = each.low is not None or each.high is not None or each.kind is ir.Kind.BALANCE
        if each.kind is ir.Kind.PARAMETER or (bounded and each.kind is not ir.Kind.HOUSE and ":" not in each.name):
            add("parameter" if each.kind is ir.Kind.PARAMETER else "bound", each.span, ("field", each.name))
    for action in system.actions.values():
        _statements(action.body, add)
    for duty in system.duties.values():
        if duty.when != ir.YES:
            add("when", _line_of("when", duty), ("when", duty.name))
        if duty.after:
            add("duty", duty.span, ("listens", duty.name))
        _statements(duty.body, add)
    for assumption in system.assumptions.values():
        add("assumption", assumption.span, ("assumption", assumption.name))
    for claim in system.claims.values():
        for expect in claim.expects:
            for each in expect.given if expect.verdict != "refuted" else ():
                if each.cond is not None:  # over the parameters, written where it is assumed
                    add("assumption", each.cond.span, ("assumption", each.text), f"given {each.text}")
    return sorted(found.values(), key=lambda each: (each.span.file.path, each.span.start))


def _statements(block: ir.Block, add: Any) -> None:
    for node in ir.walk(block):
        match node:
            case ir.Require():
                add("require", node.span, ("span", node.span))
            case ir.Set() | ir.Move():
                add("change", node.span, ("span", node.span))
            case ir.Tier():
                add("tier", node.span, ("span", node.span))
            case _:
                pass


def _line_of(word: str, duty: ir.Duty) -> Span:
    """Where the duty's text says `when`."""
    found = re.search(rf"\b{word}\b[^\n]*", duty.span.text)
    return Span(duty.span.file, duty.span.start + found.start(), duty.span.start + found.end()) if found else duty.span


def first_line(span: Span) -> str:
    """What stands there, up to the end of its first line, without a comment."""
    text = " ".join(re.sub(r"#.*", "", span.text.strip().split("\n")[0]).split()).removesuffix(":")
    return text if len(text) <= LONGEST else text[: LONGEST - 1].rstrip() + "…"


def used_by(keys: frozenset[Key], assumed: frozenset[str], all_: list[Sentence]) -> list[Sentence]:
    """Those that a core names."""
    return [each for each in all_ if each.key in keys or (each.key[0] == "assumption" and each.key[1] in assumed)]
