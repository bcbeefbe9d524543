"""A proof for people: what always holds that it rests on, in the rulebook's own words; and where a proof fails."""

from __future__ import annotations

from specforge.evidence.layout import Cell, Layout
from specforge.evidence.report import FileReport
from specforge.evidence.report_text import given_words, kind_of, place_of, scope_words, steps_table, title_lines, word
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


# ---------------------------------------------------------------- where a proof fails


def is_undecided_claim(result: Result) -> bool:
    return result.kind == "claim" and result.verdict in (Verdict.BOUNDED, Verdict.UNKNOWN) and result.lead is not None


def undecided(result: Result, layout: Layout) -> str:
    """A claim that nobody has decided: why there is no proof, and the step at which the induction fails."""
    lead = result.lead
    assert lead is not None
    lines = title_lines(layout, word(result), kind_of(result), result.name, result.text, place_of(result.span))
    if result.given:
        lines += layout.paragraph("given", [layout.clean(", ".join(result.given))])
    where = f" ({place_of(lead.where)})" if place_of(lead.where) else ""
    lines += layout.wrapped(f"not proved: {lead.why}{where}")
    if not lead.event:
        return "\n".join(lines)
    lines += layout.wrapped("from a state that all lemmas allow (it may not be reachable), one step breaks what is to be kept:")
    before = Cell(tuple(map(layout.clean, lead.before)) or ("everything at 0",))
    changed = Cell(tuple(map(layout.clean, lead.changed)) or ("nothing",))
    home = result.span.file.path
    rows = [
        (Cell(), Cell("before"), Cell(), before),
        (Cell("1"), Cell(lead.event), Cell(place_of(lead.span, home), "dim"), changed),
    ]
    lines += ["", *steps_table(rows, None, layout), ""]
    lines += layout.paragraph("broken", [layout.clean(lead.breaks)], at=10)
    if lead.excluded_by:
        lines += layout.paragraph("excluded", [f"by {layout.clean(lead.excluded_by)}"], at=10)
        lines += layout.paragraph("", [f"which held in all of {lead.runs} random runs: a lemma to prove"], "dim", at=10)
    return "\n".join(lines)


def all_undecided(file: FileReport, layout: Layout) -> list[str]:
    """Every undecided claim of a file that the prover has tried."""
    return [undecided(each, layout) for each in file.results if is_undecided_claim(each)]
