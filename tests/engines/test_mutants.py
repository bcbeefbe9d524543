"""Mistakes written into rulebooks on purpose: the interpreter shows that each breaks its claim, and no proof is found for it.

`tests/mutants/*.toml` has them: a stretch of the text (`file`: of one that the rulebook includes), what stands there instead,
and the lines of a scenario that break the claim.  The prover is given a moment for each, with SPECFORGE_SLOW=1 as long as it
takes."""

from __future__ import annotations

import os
import tomllib
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from specforge.algebra.obligation import RLIMIT
from specforge.core import ir
from specforge.elaborate import check, load
from specforge.engines.deadline import OutOfTime, at_most
from specforge.engines.induction import prove
from specforge.engines.scenarios import run_scenario
from specforge.evidence.certificate import Proved
from specforge.evidence.goal import ClaimGoal

ROOT = Path(__file__).parents[2]
SLOW = bool(os.environ.get("SPECFORGE_SLOW"))
SECONDS, WORK = (3600.0, RLIMIT) if SLOW else (0.4, RLIMIT // 8)  # of the processor's time; of the solver's work for a step
TABLES = sorted((ROOT / "tests" / "mutants").glob("*.toml"))
MUTANTS: list[dict[str, Any]] = [each for path in TABLES for each in tomllib.loads(path.read_text())["mutant"]]
BOOKS = sorted([*(ROOT / "tests" / "venues").glob("*.rulebook"), *(ROOT / "rulebooks").rglob("*.rulebook")])


def name_of(mutant: dict[str, Any]) -> str:
    given = f"-given-{len(mutant['given'])}" if mutant.get("given") else ""
    return f"{Path(mutant['book']).stem}-{mutant['claim']}{given}"


def mutated(mutant: dict[str, Any]) -> ir.System:
    """The rulebook with the mistake, and with the run that breaks the claim as its scenario `broken`."""
    book = ROOT / mutant["book"]
    wrong = ROOT / mutant.get("file", mutant["book"])
    text = wrong.read_text()
    for old, new in (("text", "mistake"), ("text2", "mistake2")):
        if old in mutant:
            assert mutant[old] in text, "the rulebook has changed"
            text = text.replace(mutant[old], mutant[new], 1)
    files = {str(book): book.read_text(), str(wrong): text}
    run = "\n".join(f"    {line}" for line in mutant["run"].splitlines())
    files[str(book)] += f"\nscenario broken:\n{run}\n"
    done = check(str(book), str(ROOT), None, files)
    assert done.system is not None, done.diagnostics
    return done.system


@cache
def expected_proved(path: Path) -> dict[tuple[str, tuple[str, ...]], None]:
    """The claims under each set of assumptions that they are to be proved under."""
    system, problems = load(str(path), str(ROOT))
    assert system is not None, problems
    return {(goal.name, tuple(each.text for each in goal.given)): None for goal in goals_of(system)}


def goals_of(system: ir.System) -> list[ClaimGoal]:
    result: list[ClaimGoal] = []
    for claim in system.claims.values():
        for expect in claim.expects or (None,):
            if expect is None or expect.verdict == "proved":
                result.append(ClaimGoal(claim, expect.given if expect is not None else ()))
    return result


def goal_of(mutant: dict[str, Any], system: ir.System) -> ClaimGoal:
    wanted = (mutant["claim"], mutant.get("given", []))
    return next(goal for goal in goals_of(system) if (goal.name, [each.text for each in goal.given]) == wanted)


@pytest.mark.parametrize("mutant", MUTANTS, ids=name_of)
def test_a_claim_that_a_mistake_breaks_is_not_proved(mutant: dict[str, Any]):
    system = mutated(mutant)
    goal = goal_of(mutant, system)
    broken = run_scenario(system, system.scenarios["broken"], goal)
    assert broken.holds, broken.reason
    outcome = None
    with suppress(OutOfTime), at_most(SECONDS, worked=True):
        outcome = prove(system, [goal], rlimit=WORK)[goal]
    assert not isinstance(outcome, Proved)


@pytest.mark.parametrize("path", BOOKS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_claim_that_is_to_be_proved_has_a_mistake_that_breaks_it(path: Path):
    book = path.relative_to(ROOT).as_posix()
    broken = {(each["claim"], tuple(each.get("given", []))) for each in MUTANTS if each["book"] == book}
    assert set(expected_proved(path)) == broken
