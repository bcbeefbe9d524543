"""`specforge run`: a rulebook's scenarios step by step, a trace replayed, or random runs with counts."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from specforge.apps import rulebooks
from specforge.apps.errors import UsageError, closest
from specforge.apps.problems import print_diagnostics
from specforge.apps.progress import Progress
from specforge.apps.terminal import layout_for, opened
from specforge.apps.tool import tool
from specforge.core import ir
from specforge.diagnostics.source import SourceFile
from specforge.evidence.layout import Layout
from specforge.evidence.report import Exit
from specforge.evidence.report_json import outcome_json
from specforge.evidence.trace import Trace
from specforge.evidence.verdict import Result, Scope, Verdict

RUNS, STEPS, MEMBERS = 1_000, 20, 3


def main(options: argparse.Namespace) -> int:
    random = [name for name in ("runs", "steps", "members", "seed") if getattr(options, name) is not None]
    if options.scenario is not None and random:
        raise UsageError(f"`--{random[0]}` is for random runs, and `--scenario` is for one that is written down")
    path = Path(options.scenario) if options.scenario is not None and _is_file(options.scenario) else None
    extra = None
    if path is not None and path.suffix != ".json":
        extra = SourceFile(str(path), path.read_text(encoding="utf-8", errors="replace"))
    system, diagnostics = rulebooks.load(options.file, extra)
    print_diagnostics(diagnostics, options.color)
    if system is None:
        return Exit.NOT_A_RULEBOOK
    if options.vary is not None:
        from specforge.apps import vary

        if random or options.scenario is None or (path is not None and path.suffix == ".json"):
            raise UsageError("`--vary` needs a scenario: `--scenario NAME`")
        return vary.main(system, options, _chosen(system, options.scenario, extra))
    if options.format in ("html", "svg") or options.points is not None:
        what = "--points" if options.points is not None else f"--format {options.format}"
        raise UsageError(f"`{what}` is for `--vary`")
    if path is not None and path.suffix == ".json":
        return _replay(system, options, path)
    if random or (options.scenario is None and not system.scenarios):
        return _random(system, options)
    return _scenarios(system, options, _chosen(system, options.scenario, extra))


def _is_file(text: str) -> bool:
    path = Path(text)
    return path.is_file() and (path.suffix != "" or "/" in text)


def _chosen(system: ir.System, name: str | None, extra: SourceFile | None) -> list[ir.Scenario]:
    if extra is not None:
        return [each for each in system.scenarios.values() if each.span.file.path == extra.path]
    if name is None:
        return list(system.scenarios.values())
    if name not in system.scenarios:
        what = f"no scenario is called `{name}`, and there is no such file"
        raise UsageError(what + closest(name, system.scenarios))
    return [system.scenarios[name]]


def _scenarios(system: ir.System, options: argparse.Namespace, scenarios: list[ir.Scenario]) -> int:
    from specforge.engines.scenarios import scenario_outcome
    from specforge.evidence.record_text import record_text

    if not scenarios:
        raise UsageError("there is no scenario in it")
    with opened(options.output) as stream, Progress() as progress:
        outcomes = []
        for each in scenarios:
            progress.say(each.name)
            outcomes.append(scenario_outcome(system, each))
        code = Exit.MET if all(each.holds for each in outcomes) else Exit.CONTRADICTED
        if options.format == "json":
            document = _document(options, code, scenarios=[outcome_json(system, each) for each in outcomes])
            stream.write(json.dumps(document, indent=2) + "\n")
        else:
            layout = layout_for(stream, options.format, options.color)
            parts = [record_text(system, each, layout, options.file) for each in outcomes]
            failing = [each.scenario.name for each in outcomes if not each.holds]
            if len(outcomes) > 1:
                parts.append(_count(len(outcomes), failing, layout))
            stream.write("\n\n".join(parts) + "\n")
    return code


def _count(total: int, failing: list[str], layout: Layout) -> str:
    if not failing:
        return layout.paint("good", f"all {total} scenarios hold")
    return layout.paint("bad", f"{len(failing)} of {total} scenarios fail: {', '.join(failing)}")


def _document(options: argparse.Namespace, code: int, **parts: Any) -> dict[str, Any]:
    empty: dict[str, Any] = {"scenarios": [], "random": None, "replayed": None}
    head = {"schema": "specforge/run/1", "tool": tool(), "rulebook": options.file, "exit_code": int(code)}
    return {**head, **empty, **parts}


# ---------------------------------------------------------------- random runs


def _random(system: ir.System, options: argparse.Namespace) -> int:
    from specforge.apps.statistics import statistics_json, statistics_text
    from specforge.engines.simulate import sample, sizes_for

    runs, steps = options.runs or RUNS, options.steps or STEPS
    members, seed = options.members or MEMBERS, options.seed or 0
    with opened(options.output) as stream:
        with Progress() as progress:
            progress.say(f"{runs} random runs")
            statistics = sample(system, members, runs, steps, seed)
        code = Exit.CONTRADICTED if statistics.defects else Exit.MET
        if options.format == "json":
            document = _document(options, code, random=statistics_json(statistics, seed, members, steps))
            stream.write(json.dumps(document, indent=2) + "\n")
        else:
            layout = layout_for(stream, options.format, options.color)
            present = sum(sizes_for(system, members).values())
            stream.write(statistics_text(statistics, seed, present, steps, layout) + "\n")
    return code


# ---------------------------------------------------------------- a trace that was written down


def _replay(system: ir.System, options: argparse.Namespace, path: Path) -> int:
    from specforge.evidence.replay import NotReplayed, replay
    from specforge.evidence.report_text import counterexample
    from specforge.evidence.trace_json import NotATrace, read_trace, trace_json

    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        plan, goal, names = read_trace(system, document)
    except (NotATrace, ValueError) as problem:
        raise UsageError(f"`{path}` is not a trace of this rulebook: {problem}") from None
    try:
        trace = replay(system, plan, goal, names)
    except NotReplayed as problem:
        with opened(options.output) as stream:
            if options.format == "json":
                stream.write(json.dumps(_document(options, Exit.CONTRADICTED), indent=2) + "\n")
            else:
                stream.write(f"NOT REPLAYED  {goal.name}: {problem}\n")
        return Exit.CONTRADICTED
    with opened(options.output) as stream:
        if options.format == "json":
            replayed = trace_json(system, trace, options.file)
            stream.write(json.dumps(_document(options, Exit.MET, replayed=replayed), indent=2) + "\n")
        else:
            layout = layout_for(stream, options.format, options.color)
            stream.write(counterexample(system, _result(system, trace, options.file), layout) + "\n")
    return Exit.MET


def _result(system: ir.System, trace: Trace, file: str) -> Result:
    goal = trace.goal
    claim, reach = system.claims.get(goal.name), system.reaches.get(goal.name)
    about = claim or reach
    return Result(
        kind="claim" if claim is not None else "reach" if reach is not None else "free",
        rulebook=file,
        name=goal.name,
        verdict=Verdict.PROVED if reach is not None else Verdict.REFUTED,
        scope=Scope(trace.members, trace.actions),
        text=about.text if about is not None else "",
        cites=claim.cites if claim is not None else (),
        span=about.span if about is not None else system.span,
        given=tuple(each.text for each in goal.given),
        trace=trace,
        engine="replay",
    )
