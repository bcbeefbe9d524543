"""Whole rulebooks: the examples, those that use others, scenarios, and files that must not be read."""

from __future__ import annotations

import cProfile
from pathlib import Path

import pytest
from quicktions import Fraction

from specforge.core import ir
from specforge.diagnostics.codes import Code
from specforge.diagnostics.source import SourceFile
from specforge.elaborate import check, compile_text, load
from tests.elaborate.helpers import HEAD, PARTIES, codes, good, machine

EXAMPLES = Path(__file__).parents[1] / "venues"
BOOKS = sorted(EXAMPLES.glob("*.rulebook"))


@pytest.mark.parametrize("path", BOOKS, ids=lambda path: path.stem)
def test_the_examples_are_without_mistakes(path: Path) -> None:
    system, problems = load(str(path))
    assert problems == []
    assert system is not None
    for body in [each.body for each in (*system.actions.values(), *system.duties.values())]:
        for node in ir.walk(body):
            if isinstance(node, ir.Read | ir.Place):
                assert node.field in system.fields
            assert not isinstance(node, ir.Read | ir.Place | ir.Op | ir.Move | ir.Require) or node.span.text
    if path.stem != "05_contagion":
        assert {each.name for each in system.parties.values()} == set(system.parties)
        assert all(each.party in system.parties or each.party == ir.RULES for each in system.fields.values())


def test_twice_the_text_is_twice_the_work() -> None:
    """What a thousand lines take, on the clock, is in benchmarks/frontend.py."""

    def calls(actions: int) -> int:
        text = "".join(
            f"let g{i}(t: Trader) = t.margin + t.position * Venue.mark + {i} USD\n"
            f"action a{i}(t: Trader, x: USD):\n    require g{i}(t) > 0 and x < Venue.fund\n"
            f"    transfer x from Venue.fund to t.margin\n    require g{i}(t) > x\n"
            for i in range(actions)
        )
        profile = cProfile.Profile(builtins=False)
        profile.runcall(good, text)
        return sum(each.callcount for each in profile.getstats())

    assert calls(100) < 2.2 * calls(50)


# ---------------------------------------------------------------- parameters, parties, members


def test_names_may_be_used_before_they_are_declared() -> None:
    text = """
member rich: Trader with margin = line
parameter line: USD at least 0 = base + 1 USD
let base = 3 USD
let one_more = what_he_has + 1 USD
let what_he_has = rich.margin
"""
    system = good(text)
    (named,) = system.parties["Trader"].named
    assert named.name == "rich" and named.starts[0][1] == ir.Read("line", ir.Lit(ir.Member(ir.RULES, 0)))
    assert machine(system, Trader=1).evaluate(system.lets["one_more"]) == 5


def test_fields_of_every_kind() -> None:
    text = """
party Market, one of btc, eth
parameter seed: USD from 1 USD to 5 USD = 2 USD
party Book, one:
    cash: balance USD at least -line = seed
    line: USD above 0 = 1 USD
    debt: net USD
    market: Market = eth
    until: time = 8 hours
    per Market:
        open: net BTC
"""
    system = good(text)
    fields = system.fields
    assert fields["seed"].kind is ir.Kind.PARAMETER and fields["seed"].low == ir.Lit(Fraction(1))
    assert fields["Book.cash"].kind is ir.Kind.BALANCE and fields["Book.line"].low_open
    assert fields["Book.debt"].low is None and fields["Trader.margin"].low == ir.ZERO
    assert fields["Book.market"].type == ir.Of("Market") and fields["Book.open"].per == "Market"
    assert fields["Book.until"].start == ir.Lit(Fraction(28_800)) and fields["Book.until"].type.text() == "seconds"
    assert fields["holdings(USD)"].party == ir.RULES and fields["holdings(BTC)"].asset == "BTC"
    assert next(iter(fields)) == "seed" and list(fields)[-1].startswith("holdings")


# ---------------------------------------------------------------- scenarios and claims

STORY = """
action pay_in(t: Trader, n: USD):
    receive n into t.margin
duty tidy(t: Trader) after pay_in:
    when t.margin > 5 USD
    collect t.margin into Venue.fund:
        from w.margin of each w: Trader in any order
        nothing may remain
member rich: Trader with margin = 3 USD
"""


def test_a_scenario_names_its_members_after_those_of_the_rulebook() -> None:
    text = STORY + """
scenario story "what happens":
    with Venue.fund = 7 USD
    member ann, bob: Trader with margin = 1 USD
    member rich: Trader with exempt = yes
    pay_in(bob, 3 USD + 1 USD)
    pay_in(rich, 0) refused
    then tidy(bob) taking ann, rich
    check bob.margin = 5 USD and rich.exempt
"""
    scenario = good(text).scenarios["story"]
    assert scenario.members == (("Trader", ("rich", "ann", "bob")),)
    assert [(place.field, place.member) for place, _ in scenario.starts] == [
        ("Trader.margin", ir.Lit(ir.Member("Trader", 1))),
        ("Trader.margin", ir.Lit(ir.Member("Trader", 2))),
        ("Trader.exempt", ir.Lit(ir.Member("Trader", 0))),
        ("Venue.fund", ir.Lit(ir.Member("Venue", 0))),
    ]
    first, second, third, fourth = scenario.lines
    assert isinstance(first, ir.Act) and first.action == "pay_in" and not first.refused
    assert isinstance(second, ir.Act) and second.refused
    assert isinstance(third, ir.Then) and third.taking == (ir.Member("Trader", 1), ir.Member("Trader", 0))
    assert isinstance(fourth, ir.Check)


def test_further_scenarios_come_from_another_file() -> None:
    more = SourceFile("found.rulebook", "# found\nscenario found:\n    member ann: Trader\n    pay_in(ann, 3 USD)\n")
    for text in (more.text, 'rulebook "x"\n' + more.text):
        system, problems = compile_text(HEAD + PARTIES + STORY, scenarios=SourceFile("found.rulebook", text))
        assert problems == [] and system is not None
        assert system.scenarios["found"].members == (("Trader", ("rich", "ann")),)
    _, problems = compile_text(HEAD + PARTIES + STORY, scenarios=SourceFile("found", "\nscenario s:\n    pay_on(3)\n"))
    assert [str(each.code) for each in problems] == ["SF201"]
    assert problems[0].span.line == 3
    _, problems = compile_text(HEAD + PARTIES + STORY, scenarios=SourceFile("found", "asset EUR\n"))
    assert [str(each.code) for each in problems] == ["SF118"]


def test_an_assumption_about_an_action_need_not_name_its_arguments() -> None:
    # 2026-11-22: without names, an action with arguments was an internal error.
    system = good("""
action pay_in(t: Trader, n: USD):
    receive n into t.margin
assumption calm on pay_in: Venue.tally = 0
""")
    assert (system.assumptions["calm"].action, system.assumptions["calm"].params) == ("pay_in", ())


def test_what_is_given_is_an_assumption_or_a_condition_over_parameters() -> None:
    text = STORY + """
parameter fee: ratio = 1%
parameter open_door: flag
assumption steady on pay_in(who, much): much < 3 USD
assumption calm "nothing moves": Venue.fund >= 0
claim kept after tidy(t):
    Venue.fund >= old(Venue.fund) and t.margin = 0
    expect proved given steady, calm, fee  >  0, open_door
    expect open "too hard"
claim always at every step:
    Venue.fund >= 0
"""
    system = good(text)
    kept, always = system.claims["kept"], system.claims["always"]
    assert kept.moment == ir.After("tidy", ("t",), True) and always.moment == ir.EveryStep()
    given = kept.expects[0].given
    assert [(each.text, each.assumption) for each in given] == [
        ("steady", "steady"), ("calm", "calm"), ("fee > 0", None), ("open_door", None),
    ]  # fmt: skip
    assert kept.expects[1].verdict == "open" and kept.expects[1].reason == "too hard"
    steady = system.assumptions["steady"]
    assert (steady.action, steady.params) == ("pay_in", ("who", "much"))


# ---------------------------------------------------------------- rulebooks that use others

INNER = """rulebook "Inner" "A venue."
source book = "a book"
asset USD
asset TOK issued
parameter fee: ratio from 0% to 10% = 1%
parameter strict: flag
party Trader:
    margin: balance USD = 0
party Venue, one:
    fund: balance USD = 10 USD
    seen: number = 0
let worth = Venue.fund + holdings(USD)
let rich(t: Trader) = t.margin > 5 USD
procedure note(n: number):
    Venue.seen += n
cites book "one"
action pay_in(t: Trader, n: USD):
    receive n into t.margin
    note(1)
action close_down:
    Venue.seen := 0
duty tidy(t: Trader) after pay_in:
    when rich(t)
    transfer t.margin from t.margin to Venue.fund
assumption small on pay_in(t, n): n < 3 USD
assumption calm: Venue.seen >= 0
member pioneer: Trader
claim own:
    Venue.seen >= 0
"""
OUTER = """rulebook "Outer" "A desk on a venue."
use "inner.rulebook" as inner only pay_in with fee = my_fee, strict = yes
use "sub/other.rulebook" as other
asset USD
parameter my_fee: ratio from 0% to 5% = 2%
party Desk, one:
    cash: balance USD = 50 USD
member mine: inner.Trader
action bring(n: USD):
    require n <= Desk.cash and inner.rich(mine) implies inner.fee > 0
    transfer n from Desk.cash to mine.margin
    inner.pay_in(mine, n)
    inner.note(2)
duty watch after inner.pay_in:
    when inner.worth < 0
    once
    nothing
claim kept after inner.tidy(t):
    holdings(inner.USD) >= old(holdings(inner.USD)) and inner.Venue.seen = 0 and holdings(USD) >= 0
    expect proved given inner.small, inner.calm
claim paid after inner.pay_in(t, n):
    n > 0 and (sum of u.margin for u: inner.Trader) >= 0
scenario s:
    with my_fee = 1%, inner.Venue.fund = 3 USD
    member ann: inner.Trader
    inner.pay_in(ann, 3 USD)
    then inner.tidy(mine)
    check inner.Venue.seen = 1
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sub").mkdir()
    (tmp_path / "inner.rulebook").write_text(INNER)
    (tmp_path / "sub" / "other.rulebook").write_text('rulebook "Other"\nuse "../inner.rulebook" as deep\nasset USD\n')
    (tmp_path / "outer.rulebook").write_text(OUTER)
    return tmp_path


def test_a_rulebook_that_uses_others(folder: Path) -> None:
    system, problems = load(str(folder / "outer.rulebook"))
    assert problems == [] and system is not None
    assert set(system.parties) == {
        "inner.Trader", "inner.Venue", "other.deep.Trader", "other.deep.Venue", "Desk",
    }  # fmt: skip
    assert [each.name for each in system.parties["inner.Trader"].named] == ["inner.pioneer", "mine"]
    assert list(system.duties) == ["inner.tidy", "other.deep.tidy", "watch"]
    assert list(system.claims) == ["kept", "paid"]
    opened = {name for name, each in system.actions.items() if each.open}
    assert opened == {"inner.pay_in", "bring", "other.deep.pay_in", "other.deep.close_down"}
    assert {"inner.small", "inner.calm", "other.deep.small"} <= set(system.assumptions)
    assert system.actions["inner.pay_in"].cites == (ir.Cite("inner.book", "one"),)
    assert system.sources["inner.book"] == "a book"
    fields = system.fields
    assert fields["inner.Venue.fund"].house == "inner" and fields["Desk.cash"].house == ""
    assert {"holdings(USD)", "holdings(inner.USD)", "holdings(inner.TOK)", "holdings(other.deep.USD)"} <= set(fields)
    fee = fields["inner.fee"]
    assert fee.low == fee.high == fee.start == ir.Read("my_fee", ir.Lit(ir.Member(ir.RULES, 0)))
    assert fields["inner.strict"].low == fields["inner.strict"].start == ir.YES
    assert list(fields).index("my_fee") < list(fields).index("inner.fee")
    assert fields["other.deep.fee"].high == ir.Lit(Fraction(1, 10))
    assert any(isinstance(each, ir.Took) for each in system.actions["bring"].body)
    assert set(system.lets) >= {"inner.worth", "other.deep.worth"}


def test_only_its_own_actions_and_transfers_change_a_used_rulebook(folder: Path) -> None:
    head = 'rulebook "O"\nuse "inner.rulebook" as inner only pay_in\nasset USD\nparty Desk, one:\n    cash: balance USD\n'

    def found(text: str) -> list[str]:
        (folder / "o.rulebook").write_text(head + text)
        return [str(each.code) for each in load(str(folder / "o.rulebook"))[1]]

    assert found("action a:\n    inner.Venue.seen := 1\n    inner.close_down()\n") == ["SF423"]
    assert found("action a:\n    receive 1 USD into inner.Venue.fund\n    pay 1 USD from inner.Venue.fund\n") == ["SF423"] * 2
    assert found("action a:\n    transfer 1 USD from inner.Venue.fund to Desk.cash\n") == []
    assert found("scenario s:\n    inner.close_down()\n") == ["SF510"]
    assert found("claim c after inner.close_down:\n    Desk.cash >= 0\n") == ["SF505"]
    assert found("let a = inner.Venu.seen + iner.fee\n") == ["SF201", "SF201"]
    assert found('use "inner.rulebook" as inner\n') == ["SF202"]
    assert found('use "inner.rulebook" as two only pay_on with fe = 1%, fee = 30%\n') == ["SF215", "SF208", "SF323"]


def test_what_may_not_be_read(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside") / "secret.rulebook"
    outside.write_text(INNER)
    (folder / "link.rulebook").symlink_to(outside)
    (folder / "loop.rulebook").write_text('rulebook "L"\nuse "back.rulebook" as b\n')
    (folder / "back.rulebook").write_text('rulebook "B"\nuse "loop.rulebook" as l\n')
    (folder / "bad.rulebook").write_bytes(b'rulebook "\xff"\n')
    (folder / "wrong.rulebook").write_text('rulebook "W"\nlet a = b\n')
    cases = {
        str(outside): Code.SF211,
        "../x/secret.rulebook": Code.SF211,
        "link.rulebook": Code.SF211,
        "missing.rulebook": Code.SF212,
        "sub": Code.SF212,
        "bad.rulebook": Code.SF212,
        "loop.rulebook": Code.SF210,
        "wrong.rulebook": Code.SF201,
        "top.rulebook": Code.SF210,
    }
    for written, code in cases.items():
        (folder / "top.rulebook").write_text(f'rulebook "T"\nuse "{written}" as x\nasset USD\n')
        system, problems = load(str(folder / "top.rulebook"))
        assert system is None
        assert [each.code for each in problems] == [code], written
    assert load(str(folder / "outer.rulebook"), root=str(folder / "sub"))[1][0].code is Code.SF211
    assert [each.code for each in load(str(folder / "nothing.rulebook"))[1]] == [Code.SF120]


def test_from_elsewhere_a_project_is_where_it_is_kept(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked from another directory, a rulebook uses what lies in its own project, if the project's directory is marked."""
    other = str(folder / "sub" / "other.rulebook")
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert [each.code for each in load(other)[1]] == [Code.SF211]
    (folder / "pyproject.toml").touch()
    assert load(other)[1] == []
    (folder / "sub" / ".git").mkdir()  # the nearest counts
    assert [each.code for each in load(other)[1]] == [Code.SF211]
    monkeypatch.chdir(folder)
    assert load(other)[1] == []


def test_too_many_rulebooks_are_not_read(folder: Path) -> None:
    for i in range(30):
        below = f'use "b{i + 1}.rulebook" as x\nuse "b{i + 1}.rulebook" as y\n' if i < 29 else ""
        (folder / f"b{i}.rulebook").write_text(f'rulebook "B{i}"\n{below}')
    system, problems = load(str(folder / "b0.rulebook"))
    assert system is None
    assert {each.code for each in problems} == {Code.SF414}


def test_open_files_stand_for_those_on_disk_and_uses_find_declarations(folder: Path) -> None:
    text = INNER.replace("seen: number", "looked: number").replace("Venue.seen", "Venue.looked")
    done = check(str(folder / "outer.rulebook"), open_files={str((folder / "inner.rulebook").resolve()): text})
    assert [str(each.code) for each in done.diagnostics] == ["SF204", "SF204"]
    done = check(str(folder / "outer.rulebook"))
    assert done.system is not None
    found = {(each.span.text, Path(each.declared.file.path).name) for each in done.uses if each.declared.text == each.span.text}
    assert {("rich", "inner.rulebook"), ("mine", "outer.rulebook"), ("margin", "inner.rulebook")} <= found


# ---------------------------------------------------------------- limits


def test_definitions_that_grow_without_end_are_stopped() -> None:
    doubling = "let x0 = Venue.fund\n" + "".join(f"let x{i} = x{i - 1} + x{i - 1}\n" for i in range(1, 60))
    assert codes(doubling) == [Code.SF414]
    chain = "let x0 = Venue.fund\n" + "".join(f"let x{i} = x{i - 1} + Venue.fund\n" for i in range(1, 400))
    assert codes(chain) == [Code.SF415]
    backwards = "".join(f"let x{i} = x{i + 1} + Venue.fund\n" for i in range(400)) + "let x400 = Venue.fund\n"
    assert codes(backwards) == [Code.SF415]
    doing = "procedure p0():\n    Venue.tally := 0\n"
    doing += "".join(f"procedure p{i}():\n    p{i - 1}()\n    p{i - 1}()\n" for i in range(1, 40))
    assert codes(doing) == [Code.SF414]


def test_a_cycle_of_definitions_is_shown() -> None:
    _, problems = compile_text(HEAD + "let a(x: USD) = b(x)\nlet b(x: USD) = c(x) + a(x)\nlet c(x: USD) = a(x)\nlet d = a(0)\n")
    assert [str(each.code) for each in problems] == ["SF412"]
    assert "`a` → `b` → `c` → `a`" in problems[0].message


def test_a_claim_after_an_action_that_a_duty_takes_is_refused() -> None:
    text = (
        'rulebook "T"\nasset USD\nparty Venue, one:\n    fund: balance USD\n    due: flag = no\n'
        "action ask:\n    Venue.due := yes\naction pay_up:\n    Venue.due := no\n"
        "duty must_pay after ask:\n    when Venue.due\n    {}\nclaim paid after pay_up:\n    not Venue.due\n"
    )
    assert [str(each.code) for each in compile_text(text.format("pay_up()"))[1]] == ["SF514"]
    assert compile_text(text.format("Venue.due := no"))[1] == []
