"""Pages for people: a rulebook in sentences with its verdicts, a counterexample as a story, a curve with its figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from specforge.core import ir
from specforge.diagnostics.source import NOWHERE
from specforge.evidence.explain import why
from specforge.evidence.report import FileReport
from specforge.evidence.report_text import (
    clause,
    given_words,
    picks_words,
    place_of,
    scope_words,
    shortest_words,
    size_of,
    word,
)
from specforge.evidence.start import start_worth_showing
from specforge.evidence.verdict import Result, Verdict
from specforge.evidence.words import Words
from specforge.pages import prose
from specforge.pages.series import Curve, Picture, over_time, payments, table_of
from specforge.records import frozen
from specforge.syntax import tree


@frozen
class Page:
    """`blocks`: Markdown, and pictures between."""

    title: str
    blocks: tuple[str | Picture, ...]


# ------------------------------------------------------------ a rulebook


def rulebook_page(book: tree.Rulebook, system: ir.System, results: Sequence[Result], path: str) -> Page:
    """The printable edition: the rules in sentences, each claim with its verdict, each counterexample told."""
    title = book.name.text
    blocks: list[str] = [f"# {plain(title)}"]
    if book.description is not None:
        blocks.append(plain(book.description.text))
    blocks.append(f"Told from `{path}`; what is said there counts.")
    cited = prose.sources(book)
    if cited:
        blocks += ["## Sources", _lines(f"- *{name}*: {plain(text)}" for name, text in cited.items())]
    blocks += _section("## What there is", prose.things(book))
    blocks += _section("## What words mean", prose.definitions(book))
    told = list(prose.rules(book))
    for kind, heading in (
        ("procedure", "## Common to several rules"),
        ("action", "## What the world may do"),
        ("duty", "## What the venue must do, in this order"),
    ):
        those = [each for each in told if each[0] == kind]
        if those:
            blocks.append(heading)
        for _, name, _, lines in those:
            blocks += [f"### {name}", _lines(lines)]
    assumed = [each for each in book.items if isinstance(each, tree.Assumption)]
    if assumed:
        blocks += ["## What may be assumed", _lines(_assumption(each) for each in assumed)]
    blocks += ["## What is claimed", *_verdicts(results)]
    stories = [each for each in results if each.kind == "claim" and each.verdict is Verdict.REFUTED and each.trace is not None]
    if stories:
        blocks.append("## How claims break")
    for each in stories:
        blocks += [block for block in story(system, each, "###") if isinstance(block, str)]
    return Page(title, tuple(blocks))


def index_page(files: Sequence[tuple[FileReport, str]]) -> Page:
    """Every page with its rulebook's name and how many claims it has of each verdict; `files`: with where each page is."""
    blocks = [
        "# The rulebooks",
        "Each page tells one rulebook in sentences, with the verdict on each claim and the story of each counterexample.",
    ]
    folder = ""
    rows: list[list[str]] = []
    for file, place in files:
        assert file.system is not None
        if folder != (folder := place.rpartition("/")[0]) and rows:
            blocks.append(_table(["rulebook", "is about", "claims"], rows))
            rows = []
        if not rows:
            blocks.append(f"## {plain(folder)}")
        verdicts = [each.verdict.name for each in file.results if each.kind == "claim"]
        counted = ", ".join(f"{verdicts.count(name)} {name}" for name in dict.fromkeys(sorted(verdicts)))
        rows.append([f"[{plain(file.system.name)}]({place})", plain(file.system.text), counted])
    if rows:
        blocks.append(_table(["rulebook", "is about", "claims"], rows))
    return Page("The rulebooks", tuple(blocks))


def _assumption(each: tree.Assumption) -> str:
    text = f", {plain(each.description.text)}" if each.description is not None else ""
    if each.on is not None and each.condition == tree.Flag(False):
        return f"- **{each.name.text}**{text}: {prose.said(each.on.action)} is never taken"
    moment = f" when {prose.said(each.on.action)} is taken" if each.on is not None else ""
    return f"- **{each.name.text}**{text}:{moment} {prose.said(each.condition)}"


def _verdicts(results: Sequence[Result]) -> Iterator[str]:
    claims = [each for each in results if each.kind == "claim"]
    if claims:
        rows = [
            [f"**{word(each)}**", f"`{each.name}`" + (f": {plain(each.text)}" if each.text else ""), _given(each), _scope(each)]
            for each in claims
        ]
        yield _table(["verdict", "claim", "given", "how far"], rows)
    reaches = [each for each in results if each.kind == "reach"]
    if reaches:
        yield _table(
            ["can it be?", "state", "how far"],
            [
                [f"**{word(each)}**", f"`{each.name}`" + (f": {plain(each.text)}" if each.text else ""), _scope(each)]
                for each in reaches
            ],
        )
    free = [each for each in results if each.kind == "free"]
    if free:
        yield "Checks nobody has to ask for:"
        yield _table(
            ["verdict", "check", "how far"],
            [[f"**{word(each)}**", f"`{each.name}`: {each.text}", _scope(each)] for each in free],
        )


def _given(result: Result) -> str:
    return ", ".join(f"`{each}`" for each in result.given)


def _scope(result: Result) -> str:
    """As in the verdict table, without what is given, which has a column of its own."""
    given = given_words(result)
    return plain(scope_words(result).removesuffix(given).rstrip(", "))


# ------------------------------------------------------------ a counterexample


def trace_page(system: ir.System, result: Result) -> Page:
    return Page(result.name, tuple(story(system, result, "#")))


def story(system: ir.System, result: Result, level: str) -> Iterator[str | Picture]:
    """A run step by step, why it breaks the claim, and pictures of it."""
    trace = result.trace
    assert trace is not None
    words = Words(system, trace.names)
    yield f"{level} `{result.name}`" + (f": {plain(result.text)}" if result.text else "")
    about = [f"**{word(result)}**", size_of(trace), f"{shortest_words(result)}; replayed exactly"]
    if result.given:
        about.append(f"given {_given(result)}")
    yield ", ".join(about) + f" ({plain(place_of(result.span))})" * (result.span is not NOWHERE)
    start = [f"{words.place(cell)} {words.cell(cell, trace.start[cell])}" for cell in start_worth_showing(system, trace)]
    yield "At the start: " + (plain(", ".join(start)) if start else "everything at 0, or as the text says") + "."
    rows = [
        [
            step.number,
            f"`{words.call(step.name, step.args)}`{plain(picks_words(system, words, step))}",
            plain(place_of(clause(system, step))),
            plain(", ".join(_changes(system, words, step))) + (f" *({plain(step.note)})*" if step.note else ""),
        ]
        for step in trace.steps
    ]
    if rows:
        yield _table(["step", "what happens", "rule", "what changes"], rows)
    reasons = why(system, trace)
    if reasons:
        yield "**Why:** " + plain("; ".join(reasons))
    if trace.free:
        yield "**What could be different:** " + plain("; ".join(trace.free))
    yield over_time(system, trace, "The run, step by step")
    yield from payments(system, trace)


def _changes(system: ir.System, words: Words, step: object) -> Iterator[str]:
    for change in step.changes:  # type: ignore[attr-defined]
        if system.fields[change.cell[0]].kind is not ir.Kind.HOUSE:
            yield words.change(change.cell, change.before, change.after)


def curve_page(scenario: ir.Scenario, curve: Curve) -> Page:
    heads, rows = table_of(curve)
    return Page(
        curve.title, (f"# {plain(curve.title)}", f"Scenario `{scenario.name}`, executed exactly.", curve, _table(heads, rows))
    )


# ------------------------------------------------------------ Markdown


def markdown(page: Page) -> str:
    """The page as Markdown; pictures become their tables of figures."""
    shown = [each if isinstance(each, str) else _table(*table_of(each)) for each in page.blocks]
    return "\n\n".join(shown) + "\n"


def plain(text: str) -> str:
    """Text that Markdown would read as something else, taken as it is."""
    for each in "\\*_[]<|":
        text = text.replace(each, f"\\{each}")
    return text


def _section(heading: str, lines: Iterator[str]) -> list[str]:
    found = list(lines)
    return [heading, _lines(found)] if found else []


def _lines(lines: Iterator[str] | Sequence[str]) -> str:
    return "\n".join(lines)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(_cell(each) for each in row) + " |" for row in lines)


def _cell(text: str) -> str:
    out: list[str] = []
    code = False
    for at, each in enumerate(text):
        code ^= each == "`"
        out.append("\\|" if each == "|" and code and text[at - 1 : at] != "\\" else " " if each == "\n" else each)
    return "".join(out)


def stamp(files: Sequence[Path]) -> str:
    """By what texts a page was made; a page of an older text shows."""
    from hashlib import sha256

    digest = sha256()
    for each in files:
        digest.update(each.read_bytes())
    return digest.hexdigest()[:16]
