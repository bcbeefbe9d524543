"""Every published figure that was collected is answered: by a scenario that holds, or by a reason in SOURCES.md."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from specforge.elaborate.load import load
from specforge.engines.scenarios import scenario_outcome

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
CASES: list[dict[str, Any]] = [
    case for path in sorted((HERE / "cases").glob("*.json")) for case in json.loads(path.read_text(encoding="utf-8"))
]
COLLECTED = [name for path in sorted((HERE / "collected").glob("*.txt")) for name in path.read_text(encoding="utf-8").split()]
BOOKS = sorted((ROOT / "rulebooks").glob("*/*.rulebook"))


def named(book: Path) -> str:
    return str(book.relative_to(ROOT))


def test_no_collected_case_is_dropped_and_none_is_listed_twice():
    assert sorted(case["id"] for case in CASES) == sorted(set(COLLECTED))
    assert len(COLLECTED) == len(set(COLLECTED))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_each_case_is_answered_and_stands_in_the_sources_of_its_venue(case: dict[str, Any]):
    sources = (ROOT / "rulebooks" / case["venue"] / "SOURCES.md").read_text(encoding="utf-8")
    assert f"`{case['id']}`" in sources
    assert bool(case.get("scenarios")) != bool(case.get("reason"))
    for each in case.get("scenarios", []):
        book, _, scenario = each.partition("#")
        system, _ = load(f"{ROOT}/rulebooks/{book}.rulebook")
        assert system is not None and scenario in system.scenarios
        assert f"`{scenario}`" in sources


@pytest.mark.parametrize("book", BOOKS, ids=named)
def test_the_rulebooks_compile_without_a_word(book: Path):
    system, diagnostics = load(str(book))
    assert system is not None
    assert diagnostics == []


@pytest.mark.parametrize("book", BOOKS, ids=named)
def test_every_scenario_holds_and_breaks_what_it_is_named_to_break(book: Path):
    system, _ = load(str(book))
    assert system is not None and system.scenarios
    for scenario in system.scenarios.values():
        outcome = scenario_outcome(system, scenario)
        assert outcome.holds and outcome.complete, f"{scenario.name}: {outcome.reason}"


@pytest.mark.parametrize("book", BOOKS, ids=named)
def test_every_claim_says_what_is_expected_of_it(book: Path):
    system, _ = load(str(book))
    assert system is not None
    for claim in system.claims.values():
        assert claim.expects, claim.name
        for expect in claim.expects:
            assert expect.verdict != "refuted" or expect.by is not None, claim.name
