"""A proof that is luck is said to be: with the solver's work bounded so that some seeds come to it and others do not."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from specforge.algebra.solver import set_seed
from specforge.elaborate import load
from specforge.engines import induction, portfolio
from specforge.engines.deadline import Clock
from specforge.engines.portfolio import work
from specforge.evidence.report import CheckOptions, FileReport, Report
from specforge.evidence.stability import merged
from specforge.evidence.verdict import Result, Verdict

BOOK = Path(__file__).parents[2] / "rulebooks" / "bitmex" / "fund_size.rulebook"
CLAIM, SEEDS = "large_enough", range(4)


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    yield
    set_seed(0)


def proved(seed: int) -> Result | None:
    """The row, if the prover comes to it with that seed."""
    system, _ = load(str(BOOK))
    assert system is not None
    told: list[Result] = []
    options = CheckOptions(only=(CLAIM,), off=("vacuous",), seed=seed)
    work("prove", None, system, str(BOOK), options, Clock(1e9), lambda text: None, told.append, lambda news: None)
    return next((each for each in told if each.kind == "claim"), None)


def test_a_proof_that_some_seeds_do_not_come_to_is_fragile(monkeypatch: pytest.MonkeyPatch) -> None:
    rows: list[Result | None] = []
    low, high = 20_000, 200_000  # units for each question: too few for any seed, enough for all
    while high - low > 1:
        monkeypatch.setattr(portfolio, "prove", partial(induction.prove, rlimit=(low + high) // 2))
        rows = [proved(seed) for seed in SEEDS]
        if None in rows and any(rows):
            break
        low, high = (low, (low + high) // 2) if rows[0] else ((low + high) // 2, high)
    found = [each for each in rows if each is not None]
    assert 0 < len(found) < len(SEEDS) and all(each.verdict is Verdict.PROVED for each in found)
    open_ = Result("claim", str(BOOK), CLAIM, Verdict.UNKNOWN, given=found[0].given)
    (row,) = merged([Report((FileReport(BOOK, None, (), (each or open_,)),)) for each in rows]).results
    assert row.verdict is Verdict.PROVED and row.fragile == f"UNKNOWN with {len(SEEDS) - len(found)} of {len(SEEDS)} seeds"
