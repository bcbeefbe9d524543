"""A proof for people: what always holds that it rests on, in the rulebook's own words."""

from __future__ import annotations

from specforge.evidence.layout import Layout
from specforge.evidence.report import FileReport
from specforge.evidence.report_text import given_words, kind_of, place_of, scope_words, title_lines, word
from specforge.evidence.verdict import Result, Verdict


def is_proof(result: Result) -> bool:
    return result.kind == "claim" and result.verdict is Verdict.PROVED


def proof(result: Result, layout: Layout) -> str:
    """A proved claim in full."""
    lines = title_lines(layout, word(result), kind_of(result), result.name, result.text, place_of(result.span))
    lines.append(scope_words(result).removesuffix(f", {given_words(result)}"))
    if result.given:
        lines += layout.paragraph("given", [layout.clean(", ".join(result.given))])
    lines += lemmas(result, layout)
    return "\n".join(lines)


def lemmas(result: Result, layout: Layout) -> list[str]:
    """What holds in every state of every run, and carries the proof; each on a line of its own."""
    if not result.lemmas:
        return layout.paragraph("rests on", ["nothing but the sentences themselves: no lemma is needed"], at=10)
    heads = layout.paint("bold", "rests on  ") + "what holds at the start and is kept by everything that may happen:"
    return [heads, *(line for each in result.lemmas for line in hanging(layout, layout.clean(each)))]


def hanging(layout: Layout, text: str, indent: int = 2, further: int = 4) -> list[str]:
    """Wrapped, with the lines after the first set in a little more."""
    first, *rest = layout.wrapped(text, layout.width - further)
    return [" " * indent + first, *(" " * further + each for each in rest)]


def proofs(file: FileReport, layout: Layout) -> list[str]:
    """Every proof of a file."""
    return [proof(each, layout) for each in file.results if is_proof(each)]
