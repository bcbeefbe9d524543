"""The report that people read: the verdict table of each rulebook, each counterexample step by step, and the summary."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from attrs import evolve

from specforge.core import ir
from specforge.diagnostics.render import render_all
from specforge.diagnostics.source import NOWHERE, Span
from specforge.evidence.explain import why
from specforge.evidence.goal import ClaimGoal, DefectGoal, Goal, ReachGoal, RuleGoal
from specforge.evidence.layout import Cell, Column, Layout, aligned, columns
from specforge.evidence.report import FileReport, Report, contradicts, is_undecided, is_vacuous, weakest
from specforge.evidence.start import start_worth_showing
from specforge.evidence.trace import Step, Trace
from specforge.evidence.verdict import Result, Scope, Verdict
from specforge.evidence.words import Words

WORDS = {
    "claim": {verdict: verdict.name for verdict in Verdict},
    "free": {verdict: verdict.name for verdict in Verdict},
    "reach": {
        Verdict.PROVED: "REACHED",
        Verdict.BOUNDED: "BOUNDED",
        Verdict.REFUTED: "UNREACHABLE",
        Verdict.UNKNOWN: "UNKNOWN",
    },
    "scenario": {Verdict.PROVED: "HOLDS", Verdict.BOUNDED: "HOLDS", Verdict.REFUTED: "FAILS", Verdict.UNKNOWN: "UNKNOWN"},
}
ORDER = ("claim", "reach", "scenario", "free")


def plural(count: int, noun: str) -> str:
    return f"{count:_} {noun}" + ("" if count == 1 else "s")


def seconds(value: float) -> str:
    """`0.04 s`, `2.1 s`, `3 min 20 s`"""
    if value >= 100:
        return f"{int(value) // 60} min {int(value) % 60} s"
    return f"{value:.1f} s" if value >= 1 else f"{value:.2f} s"


# ---------------------------------------------------------------- the verdict table


def word(result: Result) -> str:
    return WORDS[result.kind][result.verdict]


def kind_of(result: Result) -> str:
    """The colour of a row's verdict."""
    if contradicts(result) or is_vacuous(result):
        return "bad"
    if result.verdict is Verdict.REFUTED:
        return "broken"
    if result.verdict is Verdict.PROVED and (result.kind != "claim" or result.scope.members == "any"):
        return "good"
    return "good" if result.kind == "scenario" else "weak"


def given_words(result: Result) -> str:
    return f"given {', '.join(result.given)}" if result.given else ""


def _is_short(result: Result) -> bool:
    """What is given fits into the row; else it gets a line of its own."""
    return len(given_words(result)) <= 28


def scope_words(result: Result) -> str:
    """`any members, any steps, given prompt`; `4 actions, 3 members`; `to 3 members, 6 actions`."""
    scope = result.scope
    if result.kind == "scenario":
        said = plural(scope.steps, "action") if isinstance(scope.steps, int) else ""
        return ", ".join([said, *scope.limits[:1]])
    if result.trace is not None and (result.verdict is Verdict.REFUTED or result.kind == "reach"):
        said = size_of(result.trace)
    else:
        said = _any_or_up_to(scope, result.verdict)
    return ", ".join(each for each in (said, given_words(result) if _is_short(result) else "") if each)


def size_of(trace: Trace) -> str:
    members = [plural(trace.members, "member")] if trace.members else []  # none: no party is open
    return ", ".join([plural(trace.actions, "action"), *members])


def _any_or_up_to(scope: Scope, verdict: Verdict) -> str:
    parts: list[str] = []
    for amount, noun in ((scope.members, "member"), (scope.steps, "step" if verdict is Verdict.PROVED else "action")):
        if amount == "any":
            parts.append(f"any {noun}s")
        elif isinstance(amount, int) and (amount or noun != "member"):
            parts.append(plural(amount, noun))
    parts += scope.limits if verdict is Verdict.PROVED else ()  # a premise belongs in the same line
    prefix = {Verdict.UNKNOWN: "searched to ", Verdict.BOUNDED: "to "}.get(verdict, "")
    return prefix + ", ".join(parts) if parts else ""


def status_words(result: Result) -> tuple[str, str]:
    """How the verdict stands to what the rulebook expects, and its colour."""
    if result.vacuous is True:
        return "vacuous: there is nothing it is about", "bad"
    if contradicts(result):
        if result.kind in ("free", "scenario"):
            return "", ""
        return (f"{result.expected} was expected" if result.expected else "nobody expected this"), "bad"
    if result.kind == "reach" and result.verdict is Verdict.REFUTED:
        return "no run comes here", "bad"
    if result.kind in ("free", "scenario"):
        return "", ""
    if result.met is True:
        return ("as expected", "dim") if result.expected else ("", "")
    if result.verdict is Verdict.PROVED:
        return "not yet for any members", "weak"
    return f"not yet {result.expected or ('reached' if result.kind == 'reach' else 'proved')}", "weak"


def headline(file: FileReport) -> tuple[str, str]:
    """The file's weakest verdict, and its colour."""
    if not file.compiles:
        return "does not compile", "bad"
    verdict = weakest(file.results)
    if verdict is None:
        failing = any(contradicts(each) for each in file.results)
        return ("FAILS", "bad") if failing else ("", "")
    those = [each for each in file.results if each.kind in ("claim", "free") and each.verdict is verdict]
    if verdict is Verdict.REFUTED:
        unexpected = any(contradicts(each) or is_vacuous(each) for each in those)
        return ("REFUTED", "bad") if unexpected else ("REFUTED as expected", "broken")
    return verdict.name, "good" if all(kind_of(each) == "good" for each in those) else "weak"


def table(file: FileReport, layout: Layout) -> str:
    """One rulebook: its headline, then a row per verdict."""
    said, kind = headline(file)
    took = "unchanged" if file.kept else seconds(file.seconds)
    facts = [plural(file.claims, "claim"), took] if file.compiles else [took]
    right = "   ".join([layout.paint(kind, said), *facts] if said else facts)
    bare = "   ".join([said, *facts] if said else facts)
    path = str(file.path)
    lines = [layout.paint("bold", path) + " " * max(layout.width - len(path) - len(bare), 3) + right]
    rows: list[list[Cell]] = []
    results = sorted(file.results, key=lambda each: ORDER.index(each.kind))
    marks = _marks(results)
    for result in results:
        status, status_kind = status_words(result)
        mark = marks.get(_limits(result))
        rows.append(
            [
                Cell(word(result), kind_of(result)),
                Cell(result.name + (" (free check)" if result.kind == "free" else "")),
                Cell(layout.clean(scope_words(result)) + (f" [{mark}]" if mark else "")),
                Cell(status, status_kind),
                Cell(seconds(result.seconds), "dim"),
            ]
        )
    heads = [Column(), Column(most=36), Column(flex=True), Column(most=30), Column(right=True)]
    indent = 6 + max((row[0].natural for row in rows), default=0)
    for result, shown in zip(results, aligned(layout, heads, rows, indent=2), strict=True):
        lines += shown
        notes = [] if _is_short(result) else [given_words(result)]
        notes += [] if _limits(result) in marks else [_limits(result)]
        notes += [f"fragile: {result.fragile}"] if result.fragile else []
        for note in filter(None, notes):
            lines += [" " * indent + layout.paint("dim", each) for each in layout.wrapped(note, layout.width - indent)]
    for note, mark in marks.items():
        body = layout.wrapped(note, layout.width - 6 - len(str(mark)))
        lines += [f"  [{mark}] {layout.paint('dim', body[0])}"]
        lines += [" " * (5 + len(str(mark))) + layout.paint("dim", each) for each in body[1:]]
    return "\n".join(lines)


def _limits(result: Result) -> str:
    """What must stand beside the word: what the search kept to, and why there is no stronger verdict."""
    weak = result.kind != "scenario" and result.verdict in (Verdict.BOUNDED, Verdict.UNKNOWN)
    is_note = result.kind == "free" and result.name == "idle"
    is_weak = result.kind == "claim" and result.scope.members != "any"
    reason = result.reason if result.verdict is not Verdict.PROVED or is_note or is_weak else ""
    return "; ".join(each for each in (*(result.scope.limits if weak else ()), reason) if each)


def _marks(results: Sequence[Result]) -> dict[str, int]:
    """What several rows would say alike is said once below the table, and marked `[1]` in each of them."""
    said = [_limits(each) for each in results]
    repeated = [each for each in dict.fromkeys(said) if each and said.count(each) > 1]
    return {each: number for number, each in enumerate(repeated, start=1)}


# ---------------------------------------------------------------- one run, step by step


def place_of(span: Span, home: str | None = None) -> str:
    """`bitmex.rulebook:88`, and `:88` in the file that is being spoken of."""
    if span is NOWHERE or not span.file.path:
        return ""
    return f":{span.line}" if span.file.path == home else f"{Path(span.file.path).name}:{span.line}"


def goal_words(goal: Goal) -> tuple[str, Span, tuple[ir.Cite, ...]]:
    """The sentence of a goal, where it stands, and what it cites."""
    match goal:
        case ClaimGoal(claim):
            return claim.text, claim.span, claim.cites
        case ReachGoal(reach):
            return reach.text, reach.span, ()
        case DefectGoal() | RuleGoal():
            return "", NOWHERE, ()


def clause(system: ir.System, step: Step) -> Span:
    return (system.duties if step.duty else system.actions)[step.name].span


def picks_words(system: ir.System, words: Words, step: Step) -> str:
    """` taking carol, bob`: who was picked where the rules leave it open."""
    if not step.picks:
        return ""
    body = (system.duties if step.duty else system.actions)[step.name].body
    parties = {each.party for each in ir.walk(body) if isinstance(each, ir.Tier) and each.party is not None}
    return " taking " + ", ".join(words.picks(step.picks, parties.pop() if len(parties) == 1 else None))


def holdings_shown(system: ir.System, conditions: Sequence[ir.Expr]) -> set[str]:
    """The houses' holdings that these conditions speak of; elsewhere they only repeat what the accounts say."""
    reads = {each.field for each in ir.walk(tuple(conditions)) if isinstance(each, ir.Read)}
    return {name for name in reads if system.fields[name].kind is ir.Kind.HOUSE}


def changes_of(system: ir.System, words: Words, step: Step, shown: set[str], layout: Layout) -> tuple[str, ...]:
    return tuple(
        words.change(change.cell, change.before, change.after, layout.arrow)
        for change in step.changes
        if system.fields[change.cell[0]].kind is not ir.Kind.HOUSE or change.cell[0] in shown
    )


HEADS = [Column("step", right=True), Column("event"), Column("clause"), Column("changed", flex=True)]
WIDEST_EVENT = 46


def steps_table(rows: list[tuple[Cell, Cell, Cell, Cell]], notes: list[str] | None, layout: Layout) -> list[str]:
    """The steps, with notes in a column of their own where there is room, else below what they are about."""
    notes = notes or [""] * len(rows)
    widest = max([30, *(row[1].natural for row in rows if row[0].text != "check")])
    heads = [HEADS[0], evolve(HEADS[1], most=min(widest, WIDEST_EVENT)), *HEADS[2:]]
    widths = [max([len(head.title), *(row[i].natural for row in rows)]) for i, head in enumerate(heads)]
    note = max((len(each) for each in notes), default=0)
    if note and 1 + sum(min(w, head.most) for w, head in zip(widths, heads, strict=True)) + 8 + note <= layout.width:
        heads = [*heads[:3], Column("changed"), Column()]
        return columns(layout, heads, [(*row, Cell(each, "dim")) for row, each in zip(rows, notes, strict=True)], 1)
    shown: list[tuple[Cell, Cell, Cell, Cell]] = []
    for row, each in zip(rows, notes, strict=True):
        shown.append(row)
        if each:
            shown.append((Cell(), Cell(), Cell(), Cell(f"({each})", "dim")))
    return columns(layout, heads, shown, indent=1)


def trace_text(system: ir.System, trace: Trace, layout: Layout) -> list[str]:
    """The step table of a trace, and the why and free lines below it."""
    words = Words(system, trace.names)
    _, span, _ = goal_words(trace.goal)
    home = (span if span is not NOWHERE else system.span).file.path
    conditions = [trace.goal.claim.cond] if isinstance(trace.goal, ClaimGoal) else []
    shown = holdings_shown(system, [*conditions, *([trace.goal.reach.cond] if isinstance(trace.goal, ReachGoal) else [])])
    start = tuple(f"{words.place(cell)} {words.cell(cell, trace.start[cell])}" for cell in start_worth_showing(system, trace))
    rows = [(Cell(), Cell("start"), Cell(), Cell(start or ("everything at 0, or as the text says",)))]
    notes = [""]
    for step in trace.steps:
        event = words.call(step.name, step.args) + picks_words(system, words, step)
        changed = changes_of(system, words, step, shown, layout)
        where = place_of(clause(system, step), home)
        rows.append((Cell(step.number), Cell(event), Cell(where, "dim"), Cell(tuple(map(layout.clean, changed)))))
        notes.append(layout.clean(step.note))
    lines = steps_table(rows, notes, layout)
    reasons = why(system, trace)
    if reasons:
        lines += ["", *layout.paragraph("why", [layout.clean(each) for each in reasons])]
    if trace.free:
        lines += layout.paragraph("free", [layout.clean(each) for each in trace.free])
    return lines


def title_lines(layout: Layout, said: str, kind: str, name: str, text: str, where: str) -> list[str]:
    """`REFUTED  solvent "the venue never owes more than it has"      bitmex.rulebook:88`"""
    indent = " " * (len(said) + 2)
    quoted = f' "{text}"' if text else ""
    body = layout.wrapped(name + quoted, layout.width - len(indent) - len(where) - 3)
    gap = " " * max(3, layout.width - len(indent) - len(body[0]) - len(where))
    first = layout.paint(kind, said) + "  " + layout.paint("bold", name) + body[0].removeprefix(name)
    return [(first + (gap + where if where else "")).rstrip(), *[indent + line for line in body[1:]]]


def counterexample(system: ir.System, result: Result, layout: Layout, path: str | None = None) -> str:
    """A refuted claim (or a reached state) in full.  `path`: the rulebook as the user wrote it, for the `next` line."""
    trace = result.trace
    assert trace is not None
    lines = title_lines(layout, word(result), kind_of(result), result.name, result.text, place_of(result.span))
    if result.cites:
        lines += layout.paragraph("cites", ["; ".join(f"{each.source}: {each.section}" for each in result.cites)])
    if result.given:
        lines += layout.paragraph("given", [layout.clean(", ".join(result.given))])
    exactly = size_of(trace)
    if result.verdict is Verdict.REFUTED or result.kind == "reach":
        exactly += ", " + shortest_words(result) + "; replayed exactly"
    lines.append(exactly)
    if result.shortest and result.scope.limits:
        limits = "; ".join(layout.clean(each) for each in result.scope.limits)
        lines += layout.wrapped(f"shorter runs were excluded with {limits}")
    lines += ["", *trace_text(system, trace, layout)]
    if result.kind != "free" or path is not None:
        where = path or result.rulebook
        given = f' --given "{", ".join(result.given)}"' if result.given else ""
        command = f"specforge trace {where} {result.name}{given} --format scenario"  # one line, to be copied
        lines.append(layout.paint("bold", "next") + "  " + layout.paint("name", layout.clean(command)))
    return "\n".join(lines)


def shortest_words(result: Result) -> str:
    if not result.shortest:
        return "smallest found"
    members = result.scope.members
    return f"shortest up to {plural(members, 'member')}" if isinstance(members, int) and members else "shortest"


def counterexamples(file: FileReport, layout: Layout) -> list[str]:
    """Every refutation of a file, in full."""
    return [
        counterexample(file.system, each, layout, str(file.path))
        for each in file.results
        if file.system is not None and each.verdict is Verdict.REFUTED and each.trace is not None
    ]


# ---------------------------------------------------------------- the summary of a run


def summary(report: Report, layout: Layout) -> str:
    """What a run comes to, in a few lines: the weakest verdict, what contradicts, and what is still undecided."""
    rows = [(file, each) for file in report.files for each in file.results]
    expectations = [(file, each) for file, each in rows if each.kind != "free"]
    verdict = weakest(each for _, each in rows)
    broken = [file for file in report.files if not file.compiles]
    against = [(file, each) for file, each in rows if contradicts(each)]
    empty = [(file, each) for file, each in rows if is_vacuous(each)]
    open_ = [(file, each) for file, each in expectations if is_undecided(each)]
    if not report.files:
        return layout.paint("weak", "interrupted before anything was known" if report.interrupted else "nothing to check")
    facts = [plural(len(report.files), "rulebook"), plural(sum(file.claims for file in report.files), "claim")]
    if verdict is not None:
        expected = verdict is Verdict.REFUTED and not any(each.verdict is Verdict.REFUTED for _, each in (*against, *empty))
        facts.append(f"weakest verdict {verdict.name}" + (" as expected" if expected else ""))
    facts.append(seconds(report.seconds or sum(file.seconds for file in report.files)))
    lines = [", ".join(facts)]
    total = len(expectations)
    fragile = [(file, each) for file, each in rows if each.fragile]
    for label, found, kind in (
        ("contradicted", against, "bad"), ("vacuous", empty, "bad"), ("undecided", open_, "weak"), ("fragile", fragile, "weak"),
    ):  # fmt: skip
        if found:
            counted = sum(each.kind != "free" for _, each in found)
            checks = plural(len(found) - counted, "free check") if counted < len(found) else ""
            said = f"{counted} of {plural(total, 'expectation')}" if counted else ""
            what = f"{' and '.join(each for each in (said, checks) if each)}: {_by_file(found)}"
            lines += layout.paragraph(f"{label}:", [layout.clean(what)], kind, at=len(label) + 2)
    if broken:
        lines += layout.paragraph("not compiled:", [", ".join(str(file.path) for file in broken)], "bad", at=14)
    for bundle in report.internal:
        lines += layout.paragraph("internal error:", [f"please report it with {bundle}"], "bad", at=16)
    if report.interrupted:
        lines.append(layout.paint("weak", "interrupted: this is what was known by then"))
    elif total and not (against or empty or open_ or broken):
        lines.append(layout.paint("good", f"every expectation is met ({total} of {total})"))
    return "\n".join(lines)


def _by_file(found: list[tuple[FileReport, Result]]) -> str:
    """`01_bitmex solvent, matched; 02_binance solvent`"""
    names: dict[str, list[str]] = {}
    for file, result in found:
        those = names.setdefault(file.path.stem, [])
        if result.name not in those:
            those.append(result.name)
    return "; ".join(f"{stem} {', '.join(those)}" for stem, those in names.items())


def diagnostics_text(file: FileReport, layout: Layout) -> str:
    """What is wrong with a rulebook's text, each place marked."""
    text = render_all(file.diagnostics, layout.color, layout.width)
    return "\n".join(layout.clean(line) for line in text.split("\n")) if layout.ascii else text


def file_text(file: FileReport, layout: Layout) -> str:
    """What is wrong with a rulebook's text, and its table."""
    parts = [diagnostics_text(file, layout)] if file.diagnostics else []
    return "\n\n".join([*parts, table(file, layout)] if file.compiles else parts)


def report_text(report: Report, layout: Layout, shown: int = 0, more: Sequence[str] = ()) -> str:
    """The whole report: every table (or what is wrong), every counterexample, `more`, the summary.  `shown`: of so many files,
    the first, the tables stand there already."""
    parts = [file_text(file, layout) for file in report.files[shown:] if file.diagnostics or file.compiles]
    parts += [each for file in report.files for each in counterexamples(file, layout)]
    return "\n\n".join([*parts, *more, summary(report, layout)]) + "\n"
