"""From engines to rows: what is known is told at once, and a contradiction between engines is never a verdict."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from specforge.core import ir
from specforge.elaborate import load
from specforge.engines import portfolio
from specforge.engines.deadline import Clock
from specforge.engines.free import Shown
from specforge.engines.portfolio import Disagreement, News, decide, work
from specforge.engines.refute import Effort, Quest
from specforge.evidence.explain import why
from specforge.evidence.layout import Layout
from specforge.evidence.report import CheckOptions, Exit, FileReport, Report, exit_code
from specforge.evidence.report_text import report_text
from specforge.evidence.verdict import FREE_CHECKS, Result, Verdict

TEXT = """\
rulebook "Till" "Money in, money out."
asset USD
party Till, one:
    cash: balance USD = 0
    taken: USD = 0
action take(amount: USD):
    require amount > 0
    receive amount into Till.cash
    Till.taken += amount
claim counted:
    Till.cash = Till.taken
    expect proved
claim empty:
    Till.cash = 0
    expect refuted by one_sale
scenario one_sale:
    take(5 USD)
"""
NEVER = """\
assumption impossible: 1 > 2
claim rich:
    Till.cash >= 0
    expect proved given impossible
reach debt: Till.cash < 0 USD
"""


@pytest.fixture
def book(tmp_path: Path):
    def made(*texts: str) -> ir.System:
        path = tmp_path / "till.rulebook"
        path.write_text("".join((TEXT, *texts)))
        loaded, diagnostics = load(str(path))
        assert loaded is not None, diagnostics
        return loaded

    return made


def told(system: ir.System, **options: Any) -> list[Result]:
    rows: list[Result] = []
    decide(system, "till.rulebook", CheckOptions(**options), Clock(math.inf), lambda text: None, rows.append)
    return rows


def stage(name: str, known: News | None, system: ir.System) -> tuple[News, list[Result], list[News]]:
    rows: list[Result] = []
    seen: list[News] = []
    options = CheckOptions(off=tuple(FREE_CHECKS))
    news = work(name, known, system, "t", options, Clock(math.inf), lambda text: None, rows.append, seen.append)
    return news, rows, seen


def test_each_stage_tells_what_it_has_decided_and_leaves_the_rest(book):
    found, rows, seen = stage("seek", None, book())
    assert [(each.name, each.verdict) for each in rows if each.kind == "claim"] == [("empty", Verdict.REFUTED)]
    assert rows[-1].trace is not None and rows[-1].trace.actions == 1 and rows[-1].shortest
    proved, rows, _ = stage("prove", seen[0], book())
    assert [(each.name, each.verdict) for each in rows] == [("counted", Verdict.PROVED)]
    assert found.has_rest and not found.with_(proved).has_rest


def test_the_same_text_gives_the_same_rows(book):
    first, second = ([evolve(each, seconds=0) for each in told(book())] for _ in range(2))
    assert first == second and {each.name for each in first} >= {"counted", "empty", "funded", "alive"}


def test_what_no_search_finds_the_named_scenario_shows(book, monkeypatch):
    monkeypatch.setattr(portfolio, "Effort", lambda endless: Effort(events=0, backed=(0.0,), exclude=0, exclude_each=0))
    (row,) = told(book(), only=("empty",))
    assert row.verdict is Verdict.REFUTED and row.engine == "scenario one_sale" and row.met is True


def test_what_a_scenario_shows_is_hunted_for_only_if_there_may_be_a_shorter_run(book, monkeypatch):
    def row(**effort: Any) -> tuple[Result, bool]:
        monkeypatch.setattr(portfolio, "Effort", lambda endless: Effort(events=0, **effort))
        rows: list[Result] = []
        said: list[str] = []
        decide(system, "till.rulebook", CheckOptions(only=("empty",)), Clock(math.inf), said.append, rows.append)
        return rows[-1], "hunting for empty" in said

    system, nothing_excluded = book(), {"exclude": 0, "exclude_each": 0}
    found, hunted = row()
    assert found.engine == "scenario one_sale" and found.shortest and not hunted
    found, hunted = row(**nothing_excluded)
    assert found.engine == "scenario one_sale" and not found.shortest and hunted
    monkeypatch.setitem(globals(), "TEXT", TEXT.replace("    take(5 USD)", "    look()\n    take(5 USD)"))
    system = book("action look():\n    Till.taken += 0 USD\n")
    for effort in ({}, nothing_excluded):
        found, hunted = row(**effort)
        assert found.engine == "bounded search" and found.trace is not None and found.trace.actions == 1
        assert hunted == bool(effort)


def test_what_is_proved_and_refuted_is_an_error_of_ours(book):
    _, _, seen = stage("seek", None, book())
    assert isinstance(seen[0].quests[1], Quest) and seen[0].quests[1].trace is not None
    both = evolve(seen[0], untold=frozenset({"row 1"}), proofs={1: Shown()})
    with pytest.raises(Disagreement, match="`empty` is proved, and a run shows that it does not hold"):
        stage("rest", both, book())


def test_a_claim_that_is_never_judged_and_a_state_that_is_never_reached_make_exit_code_5(book):
    system = book(NEVER)
    rows = told(system)
    named = {(each.kind, each.name): each for each in rows}
    assert named["claim", "rich"].vacuous is True
    debt = named["reach", "debt"]
    assert debt.verdict is Verdict.REFUTED and debt.engine == "induction" and debt.trace is None
    assert named["free", "vacuous"].vacuous is True
    report = Report((FileReport(Path("till.rulebook"), system, (), tuple(rows)),))
    assert exit_code(report) is Exit.VACUOUS
    assert exit_code(report, ["vacuous"]) is Exit.VACUOUS and exit_code(report, ["refuted"]) is Exit.CONTRADICTED
    assert "as expected" not in report_text(report, Layout()).splitlines()[0]


def test_what_is_assumed_and_excludes_everything_is_named(book):
    system = book("""\
assumption broke: Till.cash < 0
assumption quiet: Till.cash < 10 USD
claim kept:
    Till.cash = Till.taken
    expect proved given quiet
    expect proved given broke, quiet
""")
    rows = [each for each in told(system, only=("kept", "vacuous")) if each.name in ("kept", "vacuous")]
    assert [each.vacuous for each in rows] == [None, True, True]
    assert rows[-1].reason.endswith("What is assumed excludes everything: no run meets `broke` and `quiet`")


def test_what_is_expected_to_be_refuted_and_is_proved_contradicts(book):
    system = book("claim sure:\n    Till.cash + 1 USD > Till.taken\n    expect refuted\n")
    rows = told(system, only=("sure",), members=2, steps=2)
    (row,) = rows
    assert row.verdict is Verdict.PROVED and row.scope.members == "any" and row.contradicts
    report = Report((FileReport(Path("till.rulebook"), system, (), tuple(rows)),))
    assert exit_code(report) is Exit.CONTRADICTED and "refuted was expected" in report_text(report, Layout())


def test_a_dead_sentence_is_a_refuted_free_check(book):
    system = book("action never:\n    require Till.cash < 0\n    Till.taken += 1 USD\n")
    row = next(each for each in told(system) if each.name == "alive")
    assert row.verdict is Verdict.REFUTED and row.reason == "it is proved that no run shows `never`"


USED = """\
rulebook "Door"
asset USD
parameter locked: flag
party Till, one:
    cash: balance USD = 0
action put(amount: USD):
    require amount > 0 and not locked
    receive amount into Till.cash
"""
USER = """\
rulebook "House"
use "door.rulebook" as door with locked = shut
parameter shut: flag
claim nothing_put:
    door.Till.cash = 0
    expect proved given shut = yes
    expect refuted given shut = no
"""


def test_a_flag_of_another_rulebook_may_be_set_to_a_flag_of_ones_own(tmp_path: Path):
    (tmp_path / "door.rulebook").write_text(USED)
    (tmp_path / "house.rulebook").write_text(USER)
    system, problems = load(str(tmp_path / "house.rulebook"))
    assert system is not None and problems == []
    rows = told(system, off=tuple(FREE_CHECKS))
    assert sorted(each.verdict.value for each in rows) == ["proved", "refuted"]


def test_what_only_a_scenario_shows_is_seen_there(book):
    rare = """\
action secret(code: number):
    require code = 987654.321
    Till.taken += 0 USD
scenario whispered:
    secret(987654.321)
"""
    row = next(each for each in told(book(rare), off=("vacuous",)) if each.name == "alive")
    assert row.verdict is Verdict.PROVED


def test_a_run_is_told_with_its_reasons(book: Any):
    system = book()
    (trace,) = (each.trace for each in told(system, off=tuple(FREE_CHECKS)) if each.trace is not None and each.name == "empty")
    assert trace.why == why(system, evolve(trace, why=()))
    assert trace.why[0].startswith("Till.cash should be 0, but is ")
