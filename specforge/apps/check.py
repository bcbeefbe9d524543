"""`specforge check`: every claim of every rulebook, as a table for people or a document for machines."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from attrs import evolve

from specforge.apps import rulebooks
from specforge.apps.errors import UsageError, closest
from specforge.apps.progress import Progress
from specforge.apps.terminal import layout_for, opened
from specforge.apps.tool import tool
from specforge.core import ir
from specforge.evidence.bundle import write_bundle
from specforge.evidence.matrix import matrix_markdown, matrix_text
from specforge.evidence.proof_text import all_undecided, proofs
from specforge.evidence.report import CheckOptions, Exit, FileReport, Report, exit_code
from specforge.evidence.report_json import diagnostic_json, report_json, result_json, summary_json
from specforge.evidence.report_text import diagnostics_text, file_text, report_text, summary
from specforge.evidence.stability import contradictions, merged
from specforge.evidence.verdict import FREE_CHECKS, Result


def main(options: argparse.Namespace) -> int:
    paths = rulebooks.discover(options.paths)
    _known_names(paths, options.only, options.off)
    if options.format == "markdown" and not options.table:
        raise UsageError("`--format markdown` is for `--table`")
    if options.table and options.format == "jsonl":
        raise UsageError("`--table` has the formats text, plain, markdown and json")
    code = Exit.INTERRUPTED  # if whoever reads has had enough before the end
    with opened(options.output) as stream:
        at_once = options.stability is None and not options.table
        lines = _Lines(stream) if options.format == "jsonl" else None
        tables = _Tables(stream, paths, options) if options.format in ("text", "plain") and at_once else None
        if options.stability is None:
            report = checked(paths, check_options(options), lines, tables)
        else:
            report = _again_and_again(paths, check_options(options), options.stability)
            for result in report.results:
                if lines is not None:
                    lines(result)
        code = exit_code(report, options.fail_on)
        _print(report, options, stream, code, tables.shown if tables is not None else 0)
        if options.output is not None:
            print(summary(report, layout_for(sys.stderr, "text", options.color)), file=sys.stderr)
    return code


def check_options(options: argparse.Namespace) -> CheckOptions:
    return CheckOptions(
        only=tuple(getattr(options, "only", ())),
        off=tuple(getattr(options, "off", ())),
        members=options.members,
        steps=options.steps,
        budget=options.budget,
        jobs=options.jobs or cores(),
        seed=options.seed,
        proofs=getattr(options, "proofs", True),  # `trace` shows them
        keep=not options.no_cache,
    )


def cores() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _known_names(paths: Sequence[Path], only: Sequence[str], off: Sequence[str]) -> None:
    """A misspelt name after `--only` or `--off` is a mistake, not a check of nothing."""
    if not only and not off:
        return
    for name in off:
        if name not in FREE_CHECKS:
            raise UsageError(f"there is no free check `{name}`{closest(name, FREE_CHECKS)}")
    systems = [rulebooks.load(str(path))[0] for path in paths]
    known = {name for system in systems if system is not None for name in names_of(system)} | {*FREE_CHECKS}
    for name in only:
        if name not in known and None not in systems:
            raise UsageError(f"no claim, reach, scenario or free check is called `{name}`{closest(name, known)}")


def names_of(system: ir.System) -> list[str]:
    """Everything that may stand after `--only`, free checks aside."""
    return [*system.claims, *system.reaches, *system.scenarios]


class _Lines:
    """Writes each result as soon as it is known."""

    def __init__(self, stream: IO[str]):
        self.stream = stream
        self.systems: dict[str, ir.System | None] = {}

    def __call__(self, result: Result) -> None:
        if result.trace is not None and result.rulebook not in self.systems:
            self.systems[result.rulebook] = rulebooks.load(result.rulebook)[0]
        self.write(result_json(self.systems.get(result.rulebook), result))

    def write(self, document: dict[str, object]) -> None:
        self.stream.write(json.dumps(document) + "\n")
        self.stream.flush()


class _Tables:
    """Writes each file's table as soon as it and all before it are finished."""

    def __init__(self, stream: IO[str], paths: Sequence[Path], options: argparse.Namespace):
        self.stream, self.paths = stream, paths
        self.layout = layout_for(stream, options.format, options.color)
        self.finished: dict[Path, FileReport] = {}
        self.shown = 0

    def __call__(self, file: FileReport, progress: Progress) -> None:
        self.finished[file.path] = file
        while self.shown < len(self.paths) and self.paths[self.shown] in self.finished:
            text = file_text(self.finished[self.paths[self.shown]], self.layout)
            self.shown += 1
            with progress.aside():
                self.stream.write(text + "\n\n")
                self.stream.flush()


def checked(
    paths: Sequence[Path],
    options: CheckOptions,
    lines: _Lines | None = None,
    tables: _Tables | None = None,
    saying: str = "",
) -> Report:
    """Runs the pipeline with live progress.  Ctrl-C ends it with what is known by then."""
    from specforge import pipeline

    known: list[Result] = []
    began = time.monotonic()

    def on_result(result: Result) -> None:
        known.append(result)
        if lines is not None:
            lines(result)

    def on_file(file: FileReport) -> None:
        if tables is not None:
            tables(file, progress)

    with Progress() as progress:
        try:
            report = pipeline.check(list(paths), options, on_result, lambda text: progress.say(saying + text), on_file)
        except KeyboardInterrupt:
            report = _so_far(paths, known, tables.shown if tables is not None else 0)
    if not report.seconds:
        report = evolve(report, seconds=time.monotonic() - began)
    return report


def _again_and_again(paths: Sequence[Path], options: CheckOptions, times: int) -> Report:
    """With one seed after the other.  What is kept from earlier runs says nothing about that."""
    reports: list[Report] = []
    for at in range(times):
        asked = evolve(options, seed=options.seed + at, keep=False)
        reports.append(checked(paths, asked, saying=f"seed {at + 1} of {times}, "))
        if reports[-1].interrupted:
            break
    whole = merged(reports)
    for each in contradictions(reports):
        said = f"with one seed `{each.name}` is proved, with another a run shows that it does not hold"
        whole = evolve(whole, internal=(*whole.internal, write_bundle(RuntimeError(said), "check", [each.rulebook])))
    return whole


def _so_far(paths: Sequence[Path], known: Sequence[Result], shown: int) -> Report:
    """What is known after an interruption that nobody has caught; the files already shown are among them."""
    files: list[FileReport] = []
    for at, path in enumerate(paths):
        results = tuple(each for each in known if each.rulebook == str(path))
        if results or at < shown:
            system, diagnostics = rulebooks.load(str(path))
            files.append(FileReport(path, system, tuple(diagnostics), results, sum(each.seconds for each in results)))
    return Report(tuple(files), interrupted=True)


def _print(report: Report, options: argparse.Namespace, stream: IO[str], code: Exit, shown: int) -> None:
    if options.format == "json":
        stream.write(json.dumps(report_json(report, tool(), code, options.table), indent=2) + "\n")
    elif options.format == "markdown":
        stream.write("\n\n".join(filter(None, map(matrix_markdown, report.files))) + "\n")
    elif options.format == "jsonl":
        lines = _Lines(stream)
        for diagnostic in (each for file in report.files for each in file.diagnostics):
            lines.write(diagnostic_json(diagnostic))
        lines.write(summary_json(report, tool(), code))
    else:
        layout = layout_for(stream, options.format, options.color)
        if options.table:
            texts = [diagnostics_text(each, layout) if each.diagnostics else "" for each in report.files]
            texts += [matrix_text(each, layout) for each in report.files]
            stream.write("\n\n".join([*filter(None, texts), summary(report, layout)]) + "\n")
            return
        more = [text for file in report.files for text in all_undecided(file, layout)]
        more += [text for file in report.files for text in proofs(file, layout)] if options.proofs else []
        stream.write(report_text(report, layout, shown, more))
