"""Which sentences a proof needs: real cores, so that what no proof needs can go and every proof stands."""

from __future__ import annotations

from pathlib import Path

from specforge.core import ir
from specforge.elaborate import load
from specforge.engines.cores import core_of_proof
from specforge.engines.induction import prove
from specforge.evidence.certificate import Proved
from specforge.evidence.goal import ClaimGoal
from specforge.evidence.layout import Layout
from specforge.evidence.proof_text import proofs
from specforge.evidence.report import FileReport, unused_sentences
from specforge.evidence.report_json import file_json, result_json
from specforge.evidence.sentences import sentences
from specforge.evidence.verdict import Result, Scope, Verdict
from tests.apps.test_run_and_trace import valid

SMALL = Path("tests/venues/05_small_venue.rulebook")

TILL = """\
rulebook "A till"

asset USD

parameter most: USD at least 0 = 50 USD
parameter colour: number from 0 to 3 = 1

party Venue, one:
    till: USD = 0
    flown: USD = 0
    open: flag = no

action pay_in(n: USD):
    require n >= 0
    require Venue.till + n <= most
    Venue.till += n

action lend(n: USD):
    require n <= Venue.till
    require Venue.flown <= 10 USD
    Venue.till -= n
    Venue.flown := n

action open_up:
    Venue.open := yes

claim never_short:
    Venue.till >= 0

claim capped:
    Venue.till >= 0 and Venue.till <= most or Venue.till < 0
"""


def read(path: Path) -> ir.System:
    system, problems = load(str(path))
    assert system is not None, problems
    return system


def cored(system: ir.System, path: Path, *names: str) -> dict[str, Result]:
    goals = [ClaimGoal(claim) for claim in system.claims.values() if not names or claim.name in names]
    results: dict[str, Result] = {}
    for goal, outcome in prove(system, goals).items():
        assert isinstance(outcome, Proved), goal
        core, name = core_of_proof(system, outcome), goal.name
        results[name] = Result(
            "claim", str(path), name, Verdict.PROVED, Scope("any", "any"), span=system.claims[name].span, core=core
        )
    return results


def test_a_proof_needs_the_guards_and_amounts_it_rests_on_and_no_others(tmp_path: Path):
    path = tmp_path / "till.rulebook"
    path.write_text(TILL)
    system = read(path)
    results = cored(system, path, "never_short")
    assert [each.text for each in results["never_short"].core or ()] == [
        "require n >= 0",
        "Venue.till += n",
        "require n <= Venue.till",
        "Venue.till -= n",
    ]
    file = FileReport(path, system, (), tuple(results.values()))
    assert [each.text for each in unused_sentences(file) or ()] == [
        "parameter most: USD at least 0 = 50 USD",
        "parameter colour: number from 0 to 3 = 1",
        "require Venue.till + n <= most",
        "require Venue.flown <= 10 USD",
        "Venue.flown := n",
        "Venue.open := yes",
    ]


def test_guards_that_no_proof_needs_can_all_go_and_every_proof_stands(tmp_path: Path):
    system = read(SMALL)
    results = cored(system, SMALL)
    unused = unused_sentences(FileReport(SMALL, system, (), tuple(results.values()))) or []
    guards = {each.span.line for each in unused if each.kind == "require"}
    assert guards
    path = tmp_path / "fewer_guards.rulebook"
    lines = SMALL.read_text().splitlines()
    fewer = ["    nothing" if at == 31 and at in guards else line for at, line in enumerate(lines, 1)]
    path.write_text("\n".join(line for at, line in enumerate(fewer, 1) if at not in guards or at == 31) + "\n")
    assert set(cored(read(path), path)) == set(results)


def test_every_sentence_of_a_core_is_one_that_the_reader_finds_in_the_text():
    system = read(SMALL)
    known = {each.key for each in sentences(system)}
    for result in cored(system, SMALL).values():
        assert result.core and {each.key for each in result.core} <= known
        assert all(each.text in SMALL.read_text() for each in result.core)


def test_the_table_names_each_sentence_with_its_proofs_and_those_that_no_proof_needs():
    system = read(SMALL)
    file = FileReport(SMALL, system, (), tuple(cored(system, SMALL).values()))
    text = proofs(file, Layout(width=100))[-1]
    used, _, unused = text.partition("no proof needs")
    assert "transfer t.position from t.position to Venue.inventory" in used and "matched" in used
    assert "require price > 0" in unused
    document = file_json(file)
    valid(result_json(system, file.results[0]), "result")
    assert any(each["text"] == "require price > 0" for each in document["unused"])


def test_what_is_given_over_the_parameters_is_a_sentence_that_a_proof_may_need(tmp_path: Path):
    path = tmp_path / "till.rulebook"
    path.write_text(
        TILL
        + """    expect proved given colour = 2

claim little:
    most <= 80 USD
    expect proved given most <= 70 USD, colour = 2
    expect refuted given most >= 100 USD
"""
    )
    system = read(path)
    (goal,) = (ClaimGoal(system.claims["little"], each.given) for each in system.claims["little"].expects[:1])
    (outcome,) = prove(system, [goal]).values()
    assert isinstance(outcome, Proved)
    core = core_of_proof(system, outcome)
    assert [each.text for each in core if each.kind == "assumption"] == ["given most <= 70 USD"]
    said = [each.text for each in sentences(system) if each.kind == "assumption"]
    assert said == ["given colour = 2", "given most <= 70 USD"]
