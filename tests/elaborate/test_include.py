"""What `include` brings in: one rulebook out of several files, in the words of the one that includes."""

from __future__ import annotations

from pathlib import Path

import pytest

from specforge.apps import included
from specforge.core import ir
from specforge.diagnostics.codes import Code
from specforge.elaborate import compile_text, load
from specforge.elaborate.load import LIBRARY, STANDARD
from specforge.engines.scenarios import scenario_outcome

BOOKS = sorted(LIBRARY.glob("*.rulebook"))
VENUE = """rulebook "A venue"
include "std/linear.rulebook" with COIN as BTC, USD as USDT without required
parameter strict: flag = no
party Trader:
    listed: flag = strict
let required(t: Trader) = 3% * notional(t)
duty liquidate(t: Trader) after mark_moves:
    when equity(t) < required(t) and not t.listed
    take_over(t)
"""


def good(text: str, path: str = "test.rulebook") -> ir.System:
    system, problems = compile_text(text, path)
    assert problems == [], [f"{each.span}: {each.message}" for each in problems]
    assert system is not None
    return system


def written(folder: Path, **files: str) -> str:
    for name, text in files.items():
        (folder / f"{name}.rulebook").write_text(f'rulebook "{name}"\n{text}', encoding="utf-8")
    return str(folder / "main.rulebook")


@pytest.mark.parametrize("path", BOOKS, ids=lambda path: path.stem)
def test_a_rulebook_of_the_library_has_no_mistakes_and_its_scenarios_hold(path: Path) -> None:
    system, problems = load(str(path), root=str(LIBRARY))
    assert problems == []
    assert system is not None and system.scenarios
    for scenario in system.scenarios.values():
        outcome = scenario_outcome(system, scenario)
        assert outcome.holds, f"{scenario.name}: {outcome.reason}"


def test_the_library_is_in_the_package_and_small() -> None:
    assert {each.stem for each in BOOKS} >= {"linear", "inverse", "fund", "deleveraging", "haircut", "rankings", "brackets"}
    assert all(len(each.read_text(encoding="utf-8").splitlines()) < 120 for each in BOOKS)


def test_what_is_included_is_one_rulebook_with_one_house() -> None:
    system = good(VENUE)
    assert set(system.parties) == {"Trader", "Venue"}
    assert {"Trader.margin", "Trader.listed", "holdings(USDT)", "holdings(BTC)"} <= set(system.fields)
    assert {each.house for each in system.fields.values()} == {""}
    assert {"deposit", "trade", "mark_moves"} <= set(system.actions)
    assert system.fields["Venue.mark"].type == ir.Number((("BTC", -1), ("USDT", 1)))


def test_claims_and_scenarios_stay_with_the_file_that_makes_them() -> None:
    system = good(VENUE)
    assert not system.claims and not system.scenarios


def test_what_is_left_out_is_given_by_the_rulebook_and_used_by_the_included_rules() -> None:
    text = VENUE.replace("without required", "without opening, required") + "let opening(t: Trader) = 50% * notional(t)\n"
    story = """scenario half:
    member ann, bob: Trader with margin = 49 USDT
    trade(ann, bob, 1 BTC) refused
    deposit(ann, 1 USDT)
    deposit(bob, 1 USDT)
    trade(ann, bob, 1 BTC)
"""
    system = good(text + story)
    assert scenario_outcome(system, system.scenarios["half"]).holds


def test_a_field_can_be_left_out_and_given_anew() -> None:
    text = VENUE.replace("without required", "without required, Venue.mark")
    text += "party Venue, one:\n    mark: USDT per BTC above 0 = 7 USDT per BTC\n"
    system = good(text + "scenario s:\n    check Venue.mark = 7 USDT per BTC\n")
    assert scenario_outcome(system, system.scenarios["s"]).holds
    assert list(system.fields).index("Venue.mark") > list(system.fields).index("Venue.inventory")


def test_a_file_that_two_others_include_is_there_once() -> None:
    text = 'rulebook "Two tiers"\ninclude "std/fund.rulebook" with COIN as BTC without liquidate, balance_up, unwind\n'
    text += 'include "std/haircut.rulebook" with COIN as BTC without liquidate, share_the_loss, settlement\n'
    text += 'include "std/linear.rulebook" with COIN as BTC without opening\n'
    system = good(text + "let opening(t: Trader) = notional(t)\n")
    assert {"Venue.fund", "Venue.hole", "Venue.book"} <= set(system.fields)
    assert list(system.actions).count("trade") == 1


def test_a_file_can_be_included_twice_under_two_sets_of_words(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        till="asset USD\nparty Till, one:\n    cash: balance USD = 0\naction pay_in(n: USD):\n    receive n into Till.cash\n",
        main='include "till.rulebook"\ninclude "till.rulebook" with Till as Safe, pay_in as lock_up\n',
    )
    system, problems = load(path, root=str(tmp_path))
    assert problems == [] and system is not None
    assert set(system.parties) == {"Till", "Safe"} and set(system.actions) == {"pay_in", "lock_up"}


def test_words_reach_the_files_that_an_included_file_includes(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        base="asset COIN\nparty Box, one:\n    much: balance COIN = 0\nlet double(x: COIN) = 2 * x\n",
        middle='include "base.rulebook" with Box as Chest\nlet all_of_it = double(Chest.much)\n',
        main='include "middle.rulebook" with COIN as BTC, Chest as Trunk\nlet one_more = all_of_it + 1 BTC\n',
    )
    system, problems = load(path, root=str(tmp_path))
    assert problems == [] and system is not None
    assert "Trunk.much" in system.fields and system.fields["Trunk.much"].asset == "BTC"


def test_included_duties_have_the_priority_of_their_line() -> None:
    own = "duty mine(t: Trader) after mark_moves:\n    when t.margin < 0\n    take_over(t)\n"
    line = 'include "std/haircut.rulebook"\n'
    head = 'rulebook "Order"\n'
    assert list(good(head + own + line).duties) == ["mine", "share_the_loss", "liquidate"]
    assert list(good(head + line + own).duties) == ["share_the_loss", "liquidate", "mine"]


def test_citations_come_along_and_equal_sources_are_one(tmp_path: Path) -> None:
    source = 'source manual = "The manual"\n'
    path = written(
        tmp_path,
        rules=source + 'cites manual "Section 1"\naction chat:\n    nothing\n',
        main='include "rules.rulebook"\n' + source + 'cites manual "Section 2"\naction talk:\n    nothing\n',
    )
    system, problems = load(path, root=str(tmp_path))
    assert problems == [] and system is not None
    assert system.sources == {"manual": "The manual"}
    assert [each.section for name in ("chat", "talk") for each in system.actions[name].cites] == ["Section 1", "Section 2"]
    written(tmp_path, main='include "rules.rulebook"\nsource manual = "Another manual"\n')
    assert [each.code for each in load(path, root=str(tmp_path))[1]] == [Code.SF202]


def test_a_mistake_in_an_included_file_marks_the_line_that_includes_it(tmp_path: Path) -> None:
    path = written(tmp_path, rules="asset USD\nlet wrong = nobody\n", main='asset EUR\ninclude "rules.rulebook"\n')
    _, problems = load(path, root=str(tmp_path))
    (labels,) = [each.labels for each in problems]
    places = [(Path(each.span.file.path).name, each.span.line) for each in labels]
    assert places == [("rules.rulebook", 3), ("main.rulebook", 3)]
    written(tmp_path, rules="asset USD\nlet wrong =\n")
    _, problems = load(path, root=str(tmp_path))
    assert Path(problems[0].labels[-1].span.file.path).name == "main.rulebook"


def test_a_system_names_every_text_that_was_read_for_it(tmp_path: Path) -> None:
    path = written(tmp_path, empty="", main='include "empty.rulebook"\ninclude "std/brackets.rulebook"\n')
    system, problems = load(path, root=str(tmp_path))
    assert problems == [] and system is not None
    assert [Path(each.path).name for each in system.files] == ["main.rulebook", "empty.rulebook", "brackets.rulebook"]


def test_files_outside_the_project_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    (tmp_path / "outside.rulebook").write_text('rulebook "Outside"\nasset USD\n', encoding="utf-8")
    (tmp_path / "inside" / "link.rulebook").symlink_to(tmp_path / "outside.rulebook")
    main = tmp_path / "inside" / "main.rulebook"
    absolute = str(tmp_path / "outside.rulebook")
    for written_path in ("../outside.rulebook", absolute, "link.rulebook", "std/../../outside.rulebook"):
        main.write_text(f'rulebook "Main"\ninclude "{written_path}"\n', encoding="utf-8")
        _, problems = load(str(main), root=str(tmp_path / "inside"))
        assert [each.code for each in problems] == [Code.SF211], written_path


def test_inclusion_has_an_end(tmp_path: Path) -> None:
    path = written(tmp_path, main='include "other.rulebook"\n', other='include "main.rulebook"\n')
    assert [each.code for each in load(path, root=str(tmp_path))[1]] == [Code.SF210]
    deep = {f"f{i}": f'include "f{i + 1}.rulebook"\n' for i in range(20)}
    path = written(tmp_path, main='include "f0.rulebook"\n', f20="asset USD\n", **deep)
    assert [each.code for each in load(path, root=str(tmp_path))[1]] == [Code.SF414]
    wide = {f"g{i}": f'include "g{i + 1}.rulebook"\n' * 4 for i in range(8)}
    path = written(tmp_path, main='include "g0.rulebook"\n', g8="asset USD\n", **wide)
    assert [each.code for each in load(path, root=str(tmp_path))[1]] == [Code.SF414]


def test_included_texts_are_limited_together(tmp_path: Path) -> None:
    large = "asset USD\n" + "# nothing\n" * 19_000
    path = written(tmp_path, large=large, main="".join(f'include "large.rulebook" with USD as U{i}\n' for i in range(20)))
    assert [each.code for each in load(path, root=str(tmp_path))[1]] == [Code.SF414]


def test_the_new_words_are_names_wherever_no_sentence_has_them() -> None:
    system = good(
        'rulebook "Names"\nasset USD\nparty Trader:\n    apart: flag\n    without: balance USD\n'
        "let include(t: Trader) = t.without if t.apart otherwise 0\naction a(include: USD):\n    require include > 0\n"
    )
    assert {"Trader.apart", "Trader.without"} <= set(system.fields)


def test_verify_looks_for_the_library_where_the_checker_does() -> None:
    assert (included.LIBRARY, included.STANDARD) == (LIBRARY, STANDARD)
