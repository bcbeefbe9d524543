"""`check --table` and `check --stability`."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from specforge.apps.schema import schema
from specforge.evidence.layout import Layout
from specforge.evidence.matrix import matrix_text
from specforge.evidence.report import CheckOptions, FileReport, Report
from specforge.evidence.stability import contradictions, merged
from specforge.evidence.verdict import Result, Scope, Verdict
from tests.apps import fake_pipeline
from tests.apps.conftest import Cli

ANY = Scope("any", "any")


def claim(name: str, verdict: Verdict, given: tuple[str, ...] = (), **kinds: object) -> Result:
    fields = {"kind": "claim", "rulebook": "x", "met": True, "scope": ANY, "engine": "table"}
    return Result(name=name, verdict=verdict, given=given, **{**fields, **kinds})  # type: ignore[arg-type]


ROWS = (
    claim("fair", Verdict.PROVED, ("policy = pro_rata",)),
    claim("fair", Verdict.REFUTED, ("policy = at_random",), expected="refuted"),
    claim("kept", Verdict.PROVED),
    claim("kept", Verdict.REFUTED, ("policy = at_random",), expected="proved", met=False, contradicts=True),
    claim("empty", Verdict.PROVED, vacuous=True),
    claim("open", Verdict.BOUNDED, ("policy = pro_rata",), met=None, scope=Scope(3, 4)),
)


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fake_pipeline, "rows", lambda system, path: ROWS)
    monkeypatch.setattr(fake_pipeline, "scenario_results", lambda system: [])


# ---------------------------------------------------------------- --table


def test_claims_stand_against_what_is_given_each_with_its_verdict(cli: Cli, small: Path, rows):
    done = cli("check", small, "--table")
    lines = [" ".join(line.split()) for line in done.out.splitlines()]
    assert lines[1] == "claim nothing given policy = pro_rata policy = at_random"
    assert lines[2:6] == [
        "fair · PROVED REFUTED", "kept PROVED · REFUTED !", "empty PROVED, vacuous · ·", "open · BOUNDED ? ·",
    ]  # fmt: skip
    assert done.code == 1 and "contradicted: 1 of 6 expectations: small kept" in done.out


def test_assumptions_too_long_to_stand_above_get_letters(small: Path):
    file = FileReport(small, None, (), ROWS)
    for width in (60, 80, 120):
        lines = matrix_text(file, Layout(width=width)).splitlines()[1:]
        assert all(len(line) <= width for line in lines), width
    narrow = matrix_text(file, Layout(width=60, ascii=True))
    assert "\n  B  policy = pro_rata\n" in narrow and narrow.removeprefix(str(small)).isascii()


def test_columns_that_do_not_stand_side_by_side_stand_below(small: Path):
    givens = [(f"policy = policy_{at}",) for at in range(6)]
    rows = tuple(claim("nobody_above_the_average", Verdict.REFUTED, given=given) for given in givens)
    file = FileReport(small, None, (), rows)
    lines = matrix_text(file, Layout(width=80)).splitlines()[1:]
    assert all(len(line) <= 80 for line in lines)
    assert [line.split() for line in lines if line.startswith("  claim")] == [["claim", *"ABCDEF"]]
    lines = matrix_text(file, Layout(width=60)).splitlines()[1:]
    assert all(len(line) <= 60 for line in lines)
    assert [line.split() for line in lines if line.startswith("  claim")] == [["claim", *"ABC"], ["claim", *"DEF"]]


def test_markdown_is_a_table_that_renders(cli: Cli, small: Path, rows):
    done = cli("check", small, "--table", "--format", "markdown")
    table = done.out.splitlines()[2:]
    assert table[0] == "| claim | nothing given | policy = pro_rata | policy = at_random |"
    assert table[3] == "| `kept` | PROVED | · | REFUTED ! |" and len({line.count("|") for line in table}) == 1


def test_json_has_the_table_beside_the_rows_and_only_if_asked(cli: Cli, small: Path, rows):
    document = json.loads(cli("check", small, "--table", "--format", "json").out)
    jsonschema.Draft202012Validator(schema("report")).validate(document)
    (table,) = (each["table"] for each in document["files"])
    assert table["given"] == [[], ["policy = pro_rata"], ["policy = at_random"]]
    assert [each and each["verdict"] for each in table["claims"][0]["verdicts"]] == [None, "proved", "refuted"]
    assert "table" not in json.loads(cli("check", small, "--format", "json").out)["files"][0]


@pytest.mark.parametrize("options", (["--format", "markdown"], ["--table", "--format", "jsonl"]))
def test_what_makes_no_table_is_a_mistake_of_usage(cli: Cli, small: Path, options: list[str]):
    assert cli("check", small, *options).code == 2


# ---------------------------------------------------------------- --stability


def report(*rows: Result) -> Report:
    return Report((FileReport(Path("x"), None, (), rows, 1.0),), seconds=1.0)


def test_a_verdict_that_other_seeds_do_not_come_to_is_fragile():
    proved, unknown = claim("a", Verdict.PROVED), claim("a", Verdict.UNKNOWN, met=None, scope=Scope())
    same = claim("b", Verdict.PROVED)
    whole = merged([report(unknown, same), report(proved, same), report(proved, same)])
    a, b = whole.results
    assert a.verdict is Verdict.PROVED and a.fragile == "UNKNOWN with 1 of 3 seeds"
    assert b.fragile == "" and whole.seconds == 3


def test_a_proof_that_reaches_less_far_with_other_seeds_is_fragile():
    few = claim("a", Verdict.PROVED, scope=Scope(3, "any"), met=None)
    resting = claim("a", Verdict.PROVED, scope=Scope("any", "any", ("where settling ends",)))
    whole = claim("a", Verdict.PROVED)
    (row,) = merged([report(few), report(resting), report(whole)]).results
    assert row.scope == ANY
    assert row.fragile == "PROVED for 3 members with 1 of 3 seeds and PROVED where settling ends with 1 of 3 seeds"
    shorter, longer = (claim("a", Verdict.BOUNDED, scope=Scope(members, 4), met=None) for members in (2, 3))
    (row,) = merged([report(shorter), report(longer)]).results
    assert row.scope == Scope(3, 4) and row.fragile == "BOUNDED to 2 members, 4 actions with 1 of 2 seeds"


def test_what_one_seed_finds_vacuous_is():
    empty, plain = claim("a", Verdict.PROVED, vacuous=True), claim("a", Verdict.PROVED)
    assert merged([report(plain), report(empty)]).results[0].vacuous is True


def test_seeds_that_contradict_each_other_are_an_error_of_the_tool():
    proved, refuted = claim("a", Verdict.PROVED), claim("a", Verdict.REFUTED, met=False)
    few = claim("a", Verdict.PROVED, scope=Scope(3, "any"))
    assert [each.name for each in contradictions([report(proved), report(refuted)])] == ["a"]
    assert contradictions([report(few), report(refuted)]) == contradictions([report(proved), report(proved)]) == []


def test_each_seed_is_asked_and_fragile_rows_are_told(cli: Cli, small: Path, monkeypatch):
    seeds: list[int] = []
    real = fake_pipeline.check

    def check(paths, options: CheckOptions, *others):
        seeds.append(options.seed)
        assert not options.keep
        verdict = Verdict.UNKNOWN if options.seed == 6 else Verdict.PROVED
        found = [claim("lucky", verdict), claim("sure", Verdict.PROVED)]
        monkeypatch.setattr(fake_pipeline, "rows", lambda system, path: found)
        return real(paths, options, *others)

    monkeypatch.setattr(fake_pipeline, "check", check)
    done = cli("check", small, "--stability", "3", "--seed", "5")
    assert seeds == [5, 6, 7]
    assert "fragile: UNKNOWN with 1 of 3 seeds" in done.out and "fragile: 1 of 3 expectations: small lucky" in done.out
    document = json.loads(cli("check", small, "--stability", "3", "--seed", "5", "--format", "json").out)
    jsonschema.Draft202012Validator(schema("report")).validate(document)
    assert [each["claim"] for each in document["fragile"]] == ["lucky"]
    assert [each["fragile"] for each in document["files"][0]["results"]][:2] == ["UNKNOWN with 1 of 3 seeds", None]
    assert cli("check", small, "--stability", "1").code == 2
