"""Every example rulebook, run by run: the generated Python and the exact interpreter never part."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pytest

from specforge.algebra.exact import ExactMachine
from specforge.algebra.staged import StagedMachine
from specforge.core import ir
from specforge.core.machine import Choice, DefectFound, Firing, Machine, Picker, Refused, settle
from specforge.elaborate import load
from specforge.engines.simulate import Draw, exact_args, sizes_for

ROOT = Path(__file__).parents[2]
RULEBOOKS = sorted([*(ROOT / "tests" / "venues").glob("*.rulebook"), *(ROOT / "benchmarks").glob("*.rulebook")])


def picker(seed: int, asked: list[Choice]) -> Picker:
    random = Random(seed)

    def pick(choice: Choice) -> int:
        asked.append(choice)
        return random.randrange(len(choice.options))

    return pick


def play(machine: Machine, action: str, args: tuple[Any, ...], seed: int) -> tuple[Any, ...]:
    """One action and the settling it starts: how it went, who acted, and every pick that was open."""
    asked: list[Choice] = []
    firings: list[Firing] = []
    try:
        took = machine.act(action, args, picker(seed, asked))
        firings = settle(machine, {name for name, _ in took}, picker(seed + 1, asked), limit=40)
    except Refused as refusal:
        return "refused", refusal.span, asked
    except DefectFound as found:
        return found.defect, found.span, asked
    return "done", took, firings, asked


def began(exact: ExactMachine, staged: StagedMachine, draw: Draw) -> bool:
    for attempt in range(40):
        try:
            staged.begin(draw.start(attempt % 2 == 0))
        except DefectFound:
            continue
        exact.restore(staged.exact())
        return True
    return False


@pytest.mark.parametrize("path", RULEBOOKS, ids=lambda path: path.stem)
def test_random_runs_are_the_same(path: Path) -> None:
    system, _ = load(str(path))
    assert system is not None
    sizes = sizes_for(system, 3)
    exact, staged = ExactMachine(system, sizes), StagedMachine(system, sizes)
    random = Random(path.stem)
    draw = Draw(staged, random)
    actions = [(each.name, draw.arguments(each)) for each in system.actions.values()]
    claims = [each for each in system.claims.values() if isinstance(each.moment, ir.AtRest | ir.EveryStep)]
    done = 0
    for _ in range(5):
        if not began(exact, staged, draw):
            continue
        for seed in range(40):
            before, exact_before = staged.save(), exact.save()
            name, arguments = actions[random.randrange(len(actions))]
            args = exact_args(system.actions[name].params, arguments(staged.state))
            first, second = play(exact, name, args, seed), play(staged, name, args, seed)
            assert first == second, (name, args)
            if isinstance(first[0], ir.Defect):
                staged.restore(before)
                exact.restore(exact_before)
                continue
            assert exact.save() == staged.exact(), (name, args)
            done += first[0] == "done"
            if first[0] == "done" and seed % 5 == 0:
                for claim in claims:
                    assert value_of(exact, claim.cond) == value_of(staged, claim.cond)
    assert done >= 10


def value_of(machine: Machine, expr: ir.Expr) -> Any:
    try:
        return machine.evaluate(expr)
    except DefectFound as found:
        return found.defect, found.span
