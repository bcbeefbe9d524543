"""A proof for people: what always holds that it rests on, in the rulebook's own words; and where a proof fails."""

from __future__ import annotations

from specforge.evidence.layout import Cell, Column, Layout, columns
from specforge.evidence.report import FileReport, cored, unused_sentences
from specforge.evidence.report_text import (
    given_words,
    kind_of,
    place_of,
    plural,
    scope_words,
    steps_table,
    title_lines,
    word,
)  # fmt: skip
from specforge.evidence.sentences import Key, Sentence, sentences
from specforge.evidence.verdict import Result, Verdict


def is_proof(result: Result) -> bool:
    return result.kind == "claim" and result.verdict is Verdict.PROVED


def proof(result: Result, layout: Layout, core: bool = False) -> str:
    """A proved claim in full.  `core`: with the sentences that the proof needs."""
    lines = title_lines(layout, word(result), kind_of(result), result.name, result.text, place_of(result.span))
    lines.append(scope_words(result).removesuffix(f", {given_words(result)}"))
    if result.given:
        lines += layout.paragraph("given", [layout.clean(", ".join(result.given))])
    lines += lemmas(result, layout)
    if result.reason:
        lines += layout.wrapped(result.reason)
    if core and result.core is not None:
        rows = [_row(each, result.span.file.path, layout, "") for each in result.core]
        lines += [layout.paint("bold", "needs"), *columns(layout, [Column(right=True), Column(flex=True), Column()], rows, 2)]
    return "\n".join(lines)


def lemmas(result: Result, layout: Layout) -> list[str]:
    """What holds in every state of every run, and carries the proof; each on a line of its own."""
    if not result.lemmas:
        return layout.paragraph("rests on", ["nothing but the sentences themselves: no lemma is needed"], at=10)
    heads = layout.paint("bold", "rests on  ") + "what holds at the start and is kept by everything that may happen:"
    return [heads, *(line for each in result.lemmas for line in hanging(layout, layout.clean(each)))]


def needed(file: FileReport, layout: Layout) -> list[str]:
    """Each sentence of the rulebook with the proofs that need it; then those that no proof needs."""
    unused, proofs = unused_sentences(file), cored(file)
    if unused is None or file.system is None:
        return []
    by: dict[Key, list[str]] = {}
    for result in proofs:
        for each in result.core or ():
            by.setdefault(each.key, []).append(result.name)
    home = file.system.span.file.path
    used = [each for each in sentences(file.system) if each.key in by]
    one = len(proofs) == 1
    title = f"what the {'proof' if one else plural(len(proofs), 'proof')} of {file.path} need{'s' if one else ''}"
    rows = [_row(each, home, layout, ", ".join(dict.fromkeys(by[each.key]))) for each in used]
    heads = [Column(right=True), Column(flex=True), Column(most=max(20, layout.width // 3))]
    lines = [layout.paint("bold", title), *columns(layout, heads, rows, indent=2)]
    if unused:
        lines += [layout.paint("bold", "no proof needs")]
        lines += columns(layout, heads, [_row(each, home, layout, "") for each in unused], indent=2)
    return ["\n".join(lines)]


def _row(each: Sentence, home: str, layout: Layout, claims: str) -> list[Cell]:
    return [Cell(place_of(each.span, home), "dim"), Cell(layout.clean(each.text)), Cell(claims, "name")]


def hanging(layout: Layout, text: str, indent: int = 2, further: int = 4) -> list[str]:
    """Wrapped, with the lines after the first set in a little more."""
    first, *rest = layout.wrapped(text, layout.width - further)
    return [" " * indent + first, *(" " * further + each for each in rest)]


def proofs(file: FileReport, layout: Layout) -> list[str]:
    """Every proof of a file, and which sentences they need."""
    return [*(proof(each, layout) for each in file.results if is_proof(each)), *needed(file, layout)]


# ---------------------------------------------------------------- where a proof fails


def is_undecided_claim(result: Result) -> bool:
    """Or only for a few members.  There is something to look at: where the proof fails."""
    if result.kind != "claim" or result.lead is None:
        return False
    for_few = result.verdict is Verdict.PROVED and result.scope.members != "any"
    return bool(result.lead.event) if for_few else result.verdict in (Verdict.BOUNDED, Verdict.UNKNOWN)


def undecided(result: Result, layout: Layout) -> str:
    """A claim that nobody has decided: why there is no proof, and the step at which the induction fails."""
    lead = result.lead
    assert lead is not None
    lines = title_lines(layout, word(result), kind_of(result), result.name, result.text, place_of(result.span))
    if result.given:
        lines += layout.paragraph("given", [layout.clean(", ".join(result.given))])
    where = place_of(lead.where, result.span.file.path)
    where = f" ({where})" if where else ""
    few = f" for any number of members, only for {result.scope.members}" if result.verdict is Verdict.PROVED else ""
    lines += layout.wrapped(f"not proved{few}: {lead.why}{where}")
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
