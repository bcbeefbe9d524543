"""A trace written as a scenario or as JSON comes back as the same run, for every refutation of the examples."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from specforge.core import ir
from specforge.diagnostics.source import SourceFile
from specforge.elaborate import load
from specforge.engines.scenarios import run_scenario
from specforge.evidence.replay import replay
from specforge.evidence.scenario_text import scenario_text
from specforge.evidence.trace_json import NotATrace, read_trace, trace_json
from tests.evidence.plans import traces_of

EXAMPLES = sorted((Path(__file__).parents[1] / "venues").glob("*.rulebook"))


def loaded(path: Path, text: str | None = None) -> ir.System:
    system, diagnostics = load(str(path), scenarios=SourceFile("found", text) if text is not None else None)
    assert system is not None, diagnostics
    return system


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_as_a_scenario_it_parses_and_breaks_the_claim_again(path: Path):
    system = loaded(path)
    for trace in traces_of(system):
        text = scenario_text(system, trace)
        again = loaded(path, text)
        (name,) = set(again.scenarios) - set(system.scenarios)
        outcome = run_scenario(again, again.scenarios[name], trace.goal)
        assert outcome.holds, f"{outcome.reason}\n{text}"
        assert run_scenario(again, again.scenarios[name]).holds, text


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_as_json_it_reads_back_and_replays(path: Path):
    system = loaded(path)
    for trace in traces_of(system):
        document = json.loads(json.dumps(trace_json(system, trace, str(path))))
        plan, goal, names = read_trace(system, document)
        assert goal == trace.goal
        assert trace_json(system, replay(system, plan, goal, names), str(path)) == document


def test_pins_are_written_only_where_somebody_had_to_be_picked():
    system = loaded(EXAMPLES[1])
    texts = {trace.goal.name: scenario_text(system, trace) for trace in traces_of(system)}
    assert "then liquidate(ann) taking bob" in texts["same_fate"]
    assert "then" not in texts["completes"]


def test_a_trace_of_another_rulebook_is_refused_in_words():
    bitmex, binance = loaded(EXAMPLES[0]), loaded(EXAMPLES[1])
    document = trace_json(bitmex, traces_of(bitmex)[0], "x")
    with pytest.raises(NotATrace, match="this rulebook has no"):
        read_trace(binance, document)
