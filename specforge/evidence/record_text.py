"""An executed scenario for people: what happened step by step, and what each `check` came to."""

from __future__ import annotations

from attrs import field

from specforge.algebra.exact import Cell as StateCell
from specforge.algebra.exact import State
from specforge.core import ir
from specforge.diagnostics.source import NOWHERE, Span
from specforge.evidence.layout import Cell, Layout
from specforge.evidence.report_text import (
    changes_of,
    clause,
    holdings_shown,
    picks_words,
    place_of,
    plural,
    steps_table,
    title_lines,
)
from specforge.evidence.trace import Step
from specforge.evidence.words import Names, Words
from specforge.records import frozen


@frozen
class Checked:
    """A `check` line as it was judged after `step` steps; `values`: `-10 USD < 0`."""

    step: int
    text: str
    holds: bool
    values: str
    span: Span = field(default=NOWHERE, eq=False, repr=False)


@frozen
class RefusedLine:
    """A line that was refused after `step` steps, as it had to be."""

    step: int
    text: str
    span: Span = field(default=NOWHERE, eq=False, repr=False)


@frozen
class Record:
    """One execution of a scenario.  `fixed`: the cells of the start that the scenario says."""

    sizes: dict[str, int]
    names: Names
    start: State
    steps: tuple[Step, ...] = ()
    checks: tuple[Checked, ...] = ()
    refused: tuple[RefusedLine, ...] = ()
    fixed: tuple[StateCell, ...] = ()


@frozen
class ScenarioOutcome:
    """`holds`: in every execution.  `reason`: what went wrong, in one sentence, at `span`.  `record`: the first execution, or
    the first that failed.  `complete`: every order was tried.  `breaks`: the claims it is named to break, and does."""

    scenario: ir.Scenario
    holds: bool
    executions: int
    complete: bool
    record: Record
    reason: str = ""
    span: Span = field(default=NOWHERE, eq=False, repr=False)
    breaks: tuple[str, ...] = ()


def record_text(system: ir.System, outcome: ScenarioOutcome, layout: Layout, path: str | None = None) -> str:
    """The whole scenario, with its verdict first.  `path`: the rulebook's file, whose lines are shown as `:88`."""
    scenario, record = outcome.scenario, outcome.record
    said, kind = ("HOLDS", "good") if outcome.holds else ("FAILS", "bad")
    lines = title_lines(layout, said, kind, scenario.name, scenario.text, place_of(scenario.span))
    lines.append(_scope(outcome))
    if record.start:
        lines += ["", *steps_table(_rows(system, outcome, layout, path or scenario.span.file.path), None, layout)]
    if outcome.breaks:
        lines += ["", *layout.paragraph("breaks", ["; ".join(outcome.breaks)], at=8)]
    if not outcome.holds:
        place = f"line {outcome.span.line}: " if outcome.span is not NOWHERE and outcome.span.text else ""
        lines += ["", *layout.paragraph("why", [place + outcome.reason], "bad")]
    elif outcome.reason:
        lines += ["", *layout.paragraph("note", [outcome.reason], "weak")]
    return "\n".join(lines)


def _scope(outcome: ScenarioOutcome) -> str:
    actions = sum(isinstance(line, ir.Act) for line in outcome.scenario.lines)
    checks = sum(isinstance(line, ir.Check) for line in outcome.scenario.lines)
    orders = "" if outcome.executions == 1 else f", the same in each of the {outcome.executions:_} orders that it leaves open"
    if not outcome.holds:
        orders = "" if outcome.executions == 1 else f", in order {outcome.executions:_} of those tried"
    return f"{plural(actions, 'action')}, {plural(checks, 'check')}{orders}"


def _rows(system: ir.System, outcome: ScenarioOutcome, layout: Layout, home: str) -> list[tuple[Cell, Cell, Cell, Cell]]:
    record = outcome.record
    words = Words(system, record.names)
    checks = [line.cond for line in outcome.scenario.lines if isinstance(line, ir.Check)]
    shown = holdings_shown(system, checks)
    starts = tuple(f"{words.place(cell)} {words.cell(cell, record.start[cell])}" for cell in record.fixed)
    rows = [(Cell(), Cell("start"), Cell(), Cell(starts or ("everything at 0, or as the text says",)))]
    for at in range(len(record.steps) + 1):
        if at:
            step = record.steps[at - 1]
            event = words.call(step.name, step.args) + picks_words(system, words, step)
            changed = tuple(map(layout.clean, changes_of(system, words, step, shown, layout)))
            rows.append((Cell(step.number), Cell(event), Cell(place_of(clause(system, step), home), "dim"), Cell(changed)))
        here = [each for each in (*record.refused, *record.checks) if each.step == at]
        for each in sorted(here, key=lambda each: each.span.start):
            where = Cell(place_of(each.span, home), "dim")
            if isinstance(each, RefusedLine):
                rows.append((Cell(), Cell(each.text), where, Cell("nothing happens", "dim")))
            else:
                kind = "good" if each.holds else "bad"
                said = ("holds" if each.holds else "fails") + (f": {each.values}" if each.values else "")
                rows.append((Cell("check", kind), Cell(each.text), where, Cell(said, kind)))
    return rows
