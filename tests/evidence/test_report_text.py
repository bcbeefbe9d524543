"""The report that people read, word for word where it matters."""

from __future__ import annotations

from pathlib import Path

from attrs import evolve
from quicktions import Fraction as F

from specforge.core import ir
from specforge.evidence.goal import ClaimGoal, DefectGoal, ReachGoal
from specforge.evidence.layout import Cell, Column, Layout, columns
from specforge.evidence.play import Event
from specforge.evidence.replay import replay
from specforge.evidence.report import FileReport, Report
from specforge.evidence.report_text import counterexample, report_text, summary, table
from specforge.evidence.trace import Plan, Trace
from specforge.evidence.verdict import Result, Scope, Verdict
from tests.evidence import toy

SYSTEM = toy.system()
START = {("Trader.margin", 0, 0): F(10), ("Trader.margin", 1, 0): F(99), ("Trader.exempt", 1, 0): True, ("seed", 0, 0): F(1, 3)}
PLAN = Plan({"Trader": 2}, START, (Event("deposit", (1, F(5))), Event("lose", (0, F(200)))))


def trace(name: str) -> Trace:
    goal = ReachGoal(SYSTEM.reaches[name]) if name in SYSTEM.reaches else ClaimGoal(SYSTEM.claims[name])
    return replay(SYSTEM, PLAN, goal)


def result(name: str, **fields: object) -> Result:
    claim = SYSTEM.claims[name]
    about = {"kind": "claim", "rulebook": "toy.rulebook", "name": name, "text": claim.text, "span": claim.span}
    found = {"verdict": Verdict.REFUTED, "scope": Scope(2, 2), "trace": trace(name), "shortest": True, "seconds": 0.2}
    return Result(**{**about, **found, **fields})  # type: ignore[arg-type]


def test_a_counterexample_in_full():
    shown = result("no_hole", cites=(ir.Cite("part2", "§3"),))
    shown = evolve(shown, trace=shown.trace.with_notes({2: "any amount above 104 1/3 USD does"}, ("ann's name",)))
    assert counterexample(SYSTEM, shown, Layout(width=96), "toy.rulebook") == (
        """\
REFUTED  no_hole "the house has no hole"                                         toy.rulebook:19
cites part2: §3
2 actions, 2 members, shortest up to 2 members; replayed exactly

 step  event                clause  changed
       start                        seed 1/3 USD, ann.margin 10 USD, bob.margin 99 USD,
                                    bob.exempt yes
    1  deposit(bob, 5 USD)  :11     bob.margin 99 → 104 USD
  1.1  cut(bob)             :17     bob.margin 104 → 94 USD, Venue.fund 1/3 → 31/3 USD
    2  lose(ann, 200 USD)   :14     ann.margin 10 → 0 USD, bob.margin 94 → 0 USD,
                                    Venue.fund 31/3 → 343/3 USD, Venue.hole 0 → 96 USD
                                    (any amount above 104 1/3 USD does)

why   Venue.hole should be 0, but is 96 USD
free  ann's name
next  specforge trace toy.rulebook no_hole --format scenario"""
    )


def test_notes_stand_at_the_right_where_there_is_room():
    shown = result("small")
    shown = evolve(shown, trace=shown.trace.with_notes({0: "any amount above 1 USD does"}, ()))
    (line,) = (line for line in counterexample(SYSTEM, shown, Layout(width=140)).splitlines() if "deposit" in line)
    assert " ".join(line.split()).endswith("bob.margin 99 → 104 USD any amount above 1 USD does")


def test_why_names_the_member_and_the_part_that_fails():
    assert "why   bob.margin should be at most 100 USD, but is 104 USD" in counterexample(SYSTEM, result("small"), Layout())
    implied = counterexample(SYSTEM, result("funded_when_open"), Layout())
    assert "why   Venue.hole is above 0, so Venue.hole should be at most 2 USD, but is 96 USD" in implied


def test_a_defect_says_what_would_have_happened():
    goal = DefectGoal(ir.Defect.FUNDED)
    cut = SYSTEM.duties["cut"]
    take = ir.Move(toy.usd(500), toy.place("Trader.margin", ir.Var("t")), toy.place("Venue.fund", toy.VENUE))
    system = evolve(SYSTEM, duties={"cut": evolve(cut, body=(take,))})
    found = replay(system, PLAN, goal)
    shown = Result("free", "toy.rulebook", "funded", Verdict.REFUTED, trace=found)
    text = counterexample(system, shown, Layout())
    assert "this rule moves money that is not there" in text
    assert "bob.margin would be -396 USD" in text


def test_what_several_rows_say_is_said_once():
    scope = Scope(3, 6, ("whole USD",))
    one = result("no_hole", verdict=Verdict.BOUNDED, trace=None, scope=scope, reason="time is up")
    weak = [evolve(one, name=name) for name in ("a", "b")]
    file = FileReport(Path("toy.rulebook"), SYSTEM, (), tuple(weak), 1.0)
    assert table(file, Layout(width=80)) == (
        """\
toy.rulebook                                          BOUNDED   2 claims   1.0 s
  BOUNDED  a  to 3 members, 6 actions [1]  not yet proved  0.20 s
  BOUNDED  b  to 3 members, 6 actions [1]  not yet proved  0.20 s
  [1] whole USD; time is up"""
    )


def test_the_summary_says_what_is_undecided():
    rows = (result("no_hole", met=True, expected="refuted"), result("small", verdict=Verdict.UNKNOWN, trace=None))
    report = Report((FileReport(Path("toy.rulebook"), SYSTEM, (), rows),), seconds=2.0)
    text = summary(report, Layout())
    assert text == (
        "1 rulebook, 2 claims, weakest verdict REFUTED as expected, 2.0 s\n"
        "undecided: 1 of 2 expectations: toy small"
    )
    assert report_text(report, Layout()).endswith(text + "\n")


def test_proved_for_fewer_members_is_never_green():
    fewer = result("no_hole", verdict=Verdict.PROVED, trace=None, scope=Scope(3, "any"))
    shown = table(FileReport(Path("x"), SYSTEM, (), (fewer,)), Layout(color=True))
    assert "\x1b[32m" not in shown and "3 members, any steps" in shown and "not yet for any members" in shown


def test_plain_layout_is_ascii_and_nothing_steers_a_terminal():
    layout = Layout(ascii=True)
    assert layout.clean("a → b … ≤ é") == "a -> b ... <= ?"
    assert "\x1b" not in Layout().clean("\x1b[31mred")


def test_a_figure_and_its_unit_stay_on_one_line():
    assert Layout(width=16).wrapped("it holds now -100 USD of it") == ["it holds now", "-100 USD of it"]


def test_columns_line_up_and_empty_ones_are_left_out():
    rows = [[Cell("a"), Cell(), Cell("long text that wraps here", "")], [Cell("bb"), Cell(), Cell("x")]]
    assert columns(Layout(width=26), [Column(), Column(), Column(flex=True)], rows) == [
        "a   long text that wraps",
        "    here",
        "bb  x",
    ]
