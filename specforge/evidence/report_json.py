"""The report for machines: one document, or one object a line; described by the schemas in `apps/schemas/`."""

from __future__ import annotations

from typing import Any

from specforge.core import ir
from specforge.diagnostics.diagnostic import Diagnostic
from specforge.diagnostics.source import NOWHERE, Span
from specforge.evidence.lead import Lead
from specforge.evidence.matrix import matrix_json
from specforge.evidence.record_text import Record, ScenarioOutcome
from specforge.evidence.report import (
    FileReport,
    Report,
    contradicts,
    exit_code,
    is_undecided,
    is_vacuous,
    unused_sentences,
    weakest,
)  # fmt: skip
from specforge.evidence.sentences import Sentence
from specforge.evidence.trace_json import Json, step_json, trace_json, value_json
from specforge.evidence.verdict import Result
from specforge.evidence.words import Words


def span_json(span: Span) -> Json | None:
    if span is NOWHERE or not span.file.path:
        return None
    return {
        "file": span.file.path,
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
    }


def diagnostic_json(diagnostic: Diagnostic) -> Json:
    return {
        "schema": "specforge/diagnostic/1",
        "code": str(diagnostic.code),
        "title": diagnostic.code.title,
        "severity": diagnostic.severity.value,
        "message": diagnostic.message,
        "span": span_json(diagnostic.span),
        "labels": [{"span": span_json(each.span), "text": each.text} for each in diagnostic.labels],
        "notes": list(diagnostic.notes),
        "help": diagnostic.help,
        "fixes": [
            {"span": span_json(each.span), "replacement": each.replacement, "text": each.text} for each in diagnostic.fixes
        ],
    }


def result_json(system: ir.System | None, result: Result) -> Json:
    """One row of the verdict table.  `system`: to speak about the trace (without it, there is none)."""
    sources = system.sources if system is not None else {}
    trace = result.trace
    return {
        "schema": "specforge/result/1",
        "kind": result.kind,
        "rulebook": result.rulebook,
        "claim": result.name,
        "text": result.text,
        "cites": [
            {"source": each.source, "section": each.section, "text": sources.get(each.source, "")} for each in result.cites
        ],
        "span": span_json(result.span),
        "verdict": result.verdict.value,
        "members": result.scope.members,
        "steps": result.scope.steps,
        "limits": list(result.scope.limits),
        "given": list(result.given),
        "expected": result.expected,
        "met": result.met,
        "contradicts": contradicts(result),
        "vacuous": result.vacuous,
        "engine": result.engine,
        "seconds": round(result.seconds, 3),
        "lemmas": list(result.lemmas),
        "core": [sentence_json(each) for each in result.core] if result.core is not None else None,
        "shortest": result.shortest if trace is not None else None,
        "trace": trace_json(system, trace, result.rulebook) if trace is not None and system is not None else None,
        "reason": result.reason,
        "fragile": result.fragile or None,
        "lead": lead_json(result.lead) if result.lead is not None else None,
    }


def sentence_json(sentence: Sentence) -> Json:
    return {"kind": sentence.kind, "text": sentence.text, "span": span_json(sentence.span)}


def lead_json(lead: Lead) -> Json:
    """The step at which a proof by induction fails."""
    return {
        "why": lead.why,
        "where": span_json(lead.where),
        "reachable": None,  # nobody knows
        "before": list(lead.before),
        "event": lead.event,
        "clause": span_json(lead.span),
        "changed": list(lead.changed),
        "breaks": lead.breaks,
        "excluded_by": lead.excluded_by or None,
        "runs": lead.runs,
    }


def file_json(file: FileReport) -> Json:
    verdict, unused = weakest(file.results), unused_sentences(file)
    return {
        "path": str(file.path),
        "compiles": file.compiles,
        "verdict": verdict.value if verdict is not None else None,
        "claims": file.claims,
        "seconds": round(file.seconds, 3),
        "kept": file.kept,
        "diagnostics": [diagnostic_json(each) for each in file.diagnostics],
        "results": [result_json(file.system, each) for each in file.results],
        "unused": [sentence_json(each) for each in unused] if unused is not None else None,
    }


def report_json(report: Report, tool: Json, code: int | None = None, tables: bool = False) -> Json:
    """The whole report.  `tool`: name, version and solvers; `code`: the exit code, where `--fail-on` decides it; `tables`: with
    claims against what is given."""
    files = [{**file_json(each), **({"table": matrix_json(each)} if tables else {})} for each in report.files]
    return {**summary_json(report, tool, code), "schema": "specforge/report/1", "files": files}


def summary_json(report: Report, tool: Json, code: int | None = None) -> Json:
    """What the whole run comes to, without the rows."""
    verdict = weakest(report.results)

    def named(chosen: Any) -> list[Json]:
        rows = [each for each in report.results if chosen(each)]
        return [{"rulebook": each.rulebook, "claim": each.name, "given": list(each.given)} for each in rows]

    return {
        "schema": "specforge/summary/1",
        "tool": tool,
        "exit_code": int(exit_code(report) if code is None else code),
        "verdict": verdict.value if verdict is not None else None,
        "rulebooks": len(report.files),
        "contradicted": named(contradicts),
        "vacuous": named(is_vacuous),
        "undecided": named(is_undecided),
        "fragile": named(lambda each: each.fragile),
        "interrupted": report.interrupted,
        "internal": list(report.internal),
        "seconds": round(report.seconds or sum(file.seconds for file in report.files), 3),
    }


# ---------------------------------------------------------------- executed scenarios


def record_json(system: ir.System, record: Record) -> Json:
    words = Words(system, record.names)
    return {
        "members": {party: list(names) for party, names in record.names.items()},
        "start": [
            {"place": words.place(cell), **value_json(words, system.fields[cell[0]].type, value)}
            for cell, value in record.start.items()
            if system.fields[cell[0]].kind is not ir.Kind.HOUSE
        ],
        "steps": [step_json(system, words, step, []) for step in record.steps],
        "checks": [
            {"after": each.step, "text": each.text, "holds": each.holds, "values": each.values, "span": span_json(each.span)}
            for each in record.checks
        ],
        "refused": [{"after": each.step, "text": each.text, "span": span_json(each.span)} for each in record.refused],
    }


def outcome_json(system: ir.System, outcome: ScenarioOutcome) -> Json:
    return {
        "scenario": outcome.scenario.name,
        "text": outcome.scenario.text,
        "span": span_json(outcome.scenario.span),
        "holds": outcome.holds,
        "reason": outcome.reason,
        "at": span_json(outcome.span) if not outcome.holds else None,
        "orders": outcome.executions,
        "every_order": outcome.complete,
        "breaks": list(outcome.breaks),
        "record": record_json(system, outcome.record),
    }
