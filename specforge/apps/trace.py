"""`specforge trace`: one counterexample, reached state or proof in full: text, JSON, a page, a picture, a scenario to paste."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from attrs import evolve

from specforge.apps import rulebooks
from specforge.apps.check import check_options, checked
from specforge.apps.errors import UsageError, closest
from specforge.apps.problems import print_diagnostics
from specforge.apps.terminal import layout_for, opened
from specforge.core import ir
from specforge.evidence.proof_text import is_proof, is_undecided_claim, proof, undecided
from specforge.evidence.report import Exit, FileReport
from specforge.evidence.report_json import result_json
from specforge.evidence.report_text import counterexample, given_words, scope_words, word
from specforge.evidence.scenario_text import scenario_text
from specforge.evidence.trace_json import trace_json
from specforge.evidence.verdict import FREE_CHECKS, Result, Verdict
from specforge.pages.draw import CannotDraw, svg
from specforge.pages.page import trace_page
from specforge.pages.series import over_time
from specforge.pages.web import html


def main(options: argparse.Namespace) -> int:
    system, diagnostics = rulebooks.load(options.file)
    print_diagnostics(diagnostics, options.color)
    if system is None:
        return Exit.NOT_A_RULEBOOK
    known = [*system.claims, *system.reaches, *FREE_CHECKS]
    if options.claim not in known:
        hint = f"; it is a scenario: `specforge run {options.file} --scenario {options.claim}`"
        raise UsageError(
            f"no claim, reach or free check is called `{options.claim}`"
            + (hint if options.claim in system.scenarios else closest(options.claim, known))
        )
    report = checked([Path(options.file)], evolve(check_options(options), only=(options.claim,)))
    results = [each for each in report.results if each.name == options.claim and each.kind != "scenario"]
    result = _chosen(results, options.given)
    if result is not None and result.trace is None and _is_said(result) and options.format not in ("scenario", "html", "svg"):
        with opened(options.output) as stream:
            stream.write(_proof(system, result, options))
        return Exit.MET if is_proof(result) else Exit.UNDECIDED
    if result is None or result.trace is None:
        return Exit.INTERRUPTED if report.interrupted else _nothing_to_show(report.files, results, options)
    with opened(options.output) as stream:
        stream.write(_text(system, result, options))
    others = [each for each in results if each.trace is not None and each is not result]
    if options.given is None:
        _mention(others)
    return Exit.MET


def _chosen(results: list[Result], given: str | None) -> Result | None:
    """The first with a run to show; with `--given`, the one with exactly these assumptions."""
    if given is not None:
        wanted = {each.strip() for each in given.split(",") if each.strip()}
        found = [each for each in results if {part.strip() for text in each.given for part in text.split(",")} == wanted]
        if not found:
            there = "; ".join(given_words(each) or "nothing given" for each in results)
            raise UsageError(f"this claim has no expectation given {', '.join(sorted(wanted)) or 'nothing'}: there are {there}")
        return found[0]
    with_a_run = [each for each in results if each.trace is not None]
    return next(iter([*with_a_run, *filter(_is_said, results)]), None)


def _text(system: ir.System, result: Result, options: argparse.Namespace) -> str:
    trace = result.trace
    assert trace is not None
    if options.format == "json":
        return json.dumps(trace_json(system, trace, options.file), indent=2) + "\n"
    if options.format == "scenario":
        return scenario_text(system, trace)
    if options.format in ("html", "svg"):
        try:
            return html(trace_page(system, result)) if options.format == "html" else svg(over_time(system, trace, result.name))
        except CannotDraw as problem:
            raise UsageError(str(problem)) from None
    stream = sys.stdout if options.output is None else sys.stderr
    layout = layout_for(stream, options.format, options.color if options.output is None else "never")
    return counterexample(system, result, layout, options.file) + "\n"


def _is_said(result: Result) -> bool:
    """There is more to say of it than its row."""
    return is_proof(result) or is_undecided_claim(result)


def _proof(system: ir.System, result: Result, options: argparse.Namespace) -> str:
    if options.format == "json":
        return json.dumps(result_json(system, result), indent=2) + "\n"
    stream = sys.stdout if options.output is None else sys.stderr
    layout = layout_for(stream, options.format, options.color if options.output is None else "never")
    parts = [proof(result, layout, core=True)] if is_proof(result) else []
    parts += [undecided(result, layout)] if is_undecided_claim(result) else []
    return "\n\n".join(parts) + "\n"


def _mention(others: list[Result]) -> None:
    for each in others:
        print(f"specforge: there is also one {given_words(each) or 'with nothing given'} (`--given`)", file=sys.stderr)


def _nothing_to_show(files: tuple[FileReport, ...], results: list[Result], options: argparse.Namespace) -> int:
    for each in results:
        scope = scope_words(each)
        reason = f": {each.reason}" if each.reason else ""
        said = word(each) + (f" ({scope})" if scope else "") + reason
        print(f"specforge: nothing to show for `{each.name}`: {said}", file=sys.stderr)
    if not all(file.compiles for file in files):
        return Exit.NOT_A_RULEBOOK
    decided = [each for each in results if each.verdict in (Verdict.PROVED, Verdict.REFUTED)]
    if results and len(decided) == len(results):
        return Exit.VACUOUS if any(each.kind == "reach" for each in results) else Exit.CONTRADICTED
    return Exit.UNDECIDED
