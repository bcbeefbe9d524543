"""Pictures show exact figures, pages say what the rulebook says, and nothing in a rulebook becomes markup."""

from __future__ import annotations

from pathlib import Path

import pytest
from quicktions import Fraction

from specforge.elaborate import load
from specforge.elaborate.load import compile_text
from specforge.engines.rows import rows_of, scenario_run
from specforge.engines.scenarios import run_scenario
from specforge.evidence.trace import Trace
from specforge.evidence.verdict import Result, Scope, Verdict
from specforge.pages import prose
from specforge.pages.draw import svg
from specforge.pages.page import Page, markdown, rulebook_page, trace_page
from specforge.pages.series import CannotVary, OverTime, Payments, curve, over_time, payments, table_of
from specforge.pages.web import html
from specforge.syntax.parse import parse
from specforge.syntax.read import read

ROOT = Path(__file__).parents[2]
BITMEX = ROOT / "rulebooks" / "bitmex" / "bitmex.rulebook"


@pytest.fixture(scope="module")
def bitmex():
    system, _ = load(str(BITMEX))
    assert system is not None
    return system


@pytest.fixture(scope="module")
def late_check(bitmex) -> Trace:
    row = next(each for each in rows_of(bitmex) if each.expect is not None and each.expect.by == "late_check")
    trace = scenario_run(bitmex, row)
    assert trace is not None
    return trace


def test_a_winner_is_never_paid_more_than_eighty_however_far_the_price_falls(bitmex):
    found = curve(bitmex, bitmex.scenarios["hundred_becomes_eighty"], "mark_moves", Fraction(60), Fraction(100), 5)
    owed, paid = found.panel.lines[:2]
    assert [owed.name, paid.name] == ["profit(bob) before round", "profit(bob)"]
    assert owed.values == (400, 300, 200, 100, 0)
    assert paid.values == (80, 80, 80, 80, 0)
    assert found.panel.unit == "USD" and "bob.position" in found.panel.left_out
    assert table_of(found)[1][0] == ["60", "400", "80", "0", "0"]


def test_a_move_that_the_rules_refuse_has_no_figure(bitmex):
    found = curve(bitmex, bitmex.scenarios["hundred_becomes_eighty"], "mark_moves", Fraction(-10), Fraction(90), 2)
    assert found.panel.lines[0].values == (None, 100)


@pytest.mark.parametrize(
    ("action", "says"), [("withdraw", "does not take"), ("round", "no number"), ("nothing", "does not take")]
)
def test_what_cannot_be_varied_is_said(bitmex, action: str, says: str):
    with pytest.raises(CannotVary, match=says):
        curve(bitmex, bitmex.scenarios["hundred_becomes_eighty"], action, Fraction(1), Fraction(2), 3)


def test_a_run_is_drawn_unit_by_unit_with_the_figures_of_its_trace(bitmex, late_check: Trace):
    shown = over_time(bitmex, late_check, "a run")
    assert shown.steps[0] == "start" and len(shown.steps) == len(late_check.steps) + 1
    marks = next(panel for panel in shown.panels if panel.unit == "USD per XBT").lines[0]
    assert marks.name == "Venue.mark" and marks.values[0] == 100 and marks.values[-1] == 90


def test_payments_of_a_step_add_up_to_nothing_inside_the_house(bitmex, late_check: Trace):
    shown = [each for each in payments(bitmex, late_check) if each.unit == "USD"]
    assert shown and all(sum(value for _, value in each.bars) == 0 for each in shown)


def test_the_same_picture_is_the_same_text(bitmex, late_check: Trace):
    picture = over_time(bitmex, late_check, "a < b & c $x$")
    assert svg(picture) == svg(picture)
    assert "a &lt; b &amp; c $x$" in svg(picture)


def test_lines_differ_without_colours(bitmex, late_check: Trace):
    drawn = svg(over_time(bitmex, late_check, "run"))
    assert "stroke-dasharray" in drawn


def test_nothing_in_a_rulebook_becomes_markup():
    evil = "<script>alert(1)</script>"
    text = f'rulebook "{evil}" "{evil} [x](javascript:alert(1))"\nasset USD\nparty T "{evil}":\n    m: balance USD\n'
    text += f'action a(t: T) "{evil}":\n    require t.m > 0\nclaim c "{evil}":\n    (sum of t.m for t: T) = 0\n'
    system, diagnostics = compile_text(text)
    assert system is not None and diagnostics == []
    from specforge.diagnostics.source import SourceFile

    book, _ = parse(SourceFile("evil.rulebook", text))
    assert book is not None
    claim = Result("claim", "evil.rulebook", "c", Verdict.PROVED, text=evil, scope=Scope("any", "any"))
    made = html(rulebook_page(book, system, [claim], "evil.rulebook"))
    assert "<script" not in made and "&lt;script&gt;" in made and 'href="javascript' not in made
    assert "http" not in made.replace("http://www.w3.org", "").replace("http-equiv", "")


def test_a_page_tells_every_rule_and_every_verdict(bitmex):
    source, _ = read(BITMEX)
    assert source is not None
    book, _ = parse(source)
    assert book is not None
    proved = Result("claim", str(BITMEX), "matched", Verdict.PROVED, text="every long has a short", scope=Scope("any", "any"))
    told = markdown(rulebook_page(book, bitmex, [proved], "bitmex.rulebook"))
    rules = {**bitmex.actions, **bitmex.duties}
    own = {name for name, rule in rules.items() if Path(rule.span.file.path).name == BITMEX.name}
    assert {"unwind", "round", "liquidate", "deleverage"} <= own
    for rule in own:
        assert f"**{rule}**" in told
    assert "- Refused unless `price > 0`." in told
    assert "- the rules of `std/linear.rulebook` are part of this rulebook" in told
    assert "| **PROVED** | `matched`: every long has a short |  | any members, any steps |" in told
    assert "*From liquidation: Lowest risk limit" in told


def test_every_form_of_sentence_is_told():
    for path in (*ROOT.glob("rulebooks/*/*.rulebook"), *ROOT.glob("tests/venues/*.rulebook")):
        source, _ = read(path)
        assert source is not None
        book, _ = parse(source)
        assert book is not None
        lines = [line for *_, body in prose.rules(book) for line in body]
        assert lines or not [item for item in book.items if type(item).__name__ in ("Action", "Duty", "Procedure")]


def test_a_counterexample_is_a_story_with_pictures(bitmex, late_check: Trace):
    result = Result("claim", str(BITMEX), "solvent", Verdict.REFUTED, scope=Scope(3, 4), trace=late_check, text="t")
    page = trace_page(bitmex, result)
    assert next(type(each) for each in page.blocks if not isinstance(each, str)) is OverTime
    assert any(isinstance(each, Payments) for each in page.blocks)
    told = markdown(page)
    assert "`mark_moves(90 USD per XBT)`" in told and "**Why:**" in told
    assert html(page).count("<figure>") == sum(not isinstance(each, str) for each in page.blocks)


def test_a_scenario_is_left_as_it_was(bitmex):
    scenario = bitmex.scenarios["hundred_becomes_eighty"]
    curve(bitmex, scenario, "mark_moves", Fraction(60), Fraction(100), 3)
    assert run_scenario(bitmex, scenario).holds
    assert isinstance(Page("x", ()), Page)
