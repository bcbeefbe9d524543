"""Written proofs: they re-check as they are, and nothing about them can be changed without its being noticed."""

from __future__ import annotations

import json
import math
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from attrs import evolve

from specforge.algebra import second
from specforge.algebra.solver import due_in
from specforge.algebra.written import comment
from specforge.apps import certify, verify
from specforge.apps.cli import main
from specforge.apps.schema import schema
from specforge.elaborate import load
from specforge.engines import portfolio, workers
from specforge.engines.deadline import Clock
from specforge.engines.portfolio import decide
from specforge.evidence.files import gaps, sha256, write
from specforge.evidence.report import CheckOptions
from specforge.evidence.required import coincidences, steps, transitions
from specforge.evidence.smtlib import mistake
from tests.apps.conftest import Ran

BOOK = """\
rulebook "Pot" "Everybody pays in; the house keeps what was paid; nobody owes."
asset USD
party Trader:
    margin: balance USD = 0 USD
party Venue, one:
    fund: balance USD = 0 USD
    paid: USD = 0
action deposit(t: Trader, amount: USD):
    require amount > 0
    receive amount into t.margin
    Venue.paid += amount
action hand(from_: Trader, to_: Trader, amount: USD):
    require amount > 0 and amount <= from_.margin
    transfer amount from from_.margin to to_.margin
claim pot "what stands on the accounts was paid in":
    (sum of t.margin for t: Trader) + Venue.fund = Venue.paid
    expect proved
claim never "nobody is ever rich":
    for all t: Trader: t.margin <= 10 USD
"""
HOUSE = """\
rulebook "House" "Everybody pays a fee; whoever asks is answered; it never shuts."
asset USD
party Trader:
    margin: balance USD = 0 USD
    asked: flag = no
party Venue, one:
    fund: balance USD = 0 USD
    shut: flag = no
    debt: USD = 0
action deposit(t: Trader, amount: USD):
    require amount > 0
    receive amount into t.margin
action fee(n: USD):
    require n >= 0
    for each t: Trader where t.margin >= n:
        transfer n from t.margin to Venue.fund
action ask(t: Trader, other: Trader):
    require not other.asked
    t.asked := yes
duty answer(t: Trader) after ask:
    when t.asked
    t.asked := no
action reopen:
    require Venue.shut
    Venue.shut := no
claim calm:
    for all t: Trader: Venue.shut implies t.margin = 0
reach closed: Venue.shut
"""
Cli = Callable[..., Ran]
pytestmark = pytest.mark.skipif(not second.has_cvc5(), reason="cvc5 is an extra")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Cli:
    def run(*arguments: object) -> Ran:
        capsys.readouterr()
        code = main([str(each) for each in arguments])
        captured = capsys.readouterr()
        return Ran(int(code), captured.out, captured.err)

    return run


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certified")
    (folder / "pot.rulebook").write_text(BOOK, encoding="utf-8")
    assert main(["certify", str(folder / "pot.rulebook"), "--only", "pot", "--output", str(folder / "out")]) == 0
    return folder


@pytest.fixture
def folder(original: Path, tmp_path: Path) -> Path:
    """A copy to be spoiled."""
    return copied(original, tmp_path)


def copied(original: Path, target: Path) -> Path:
    for each in original.rglob("*"):
        if each.is_file():
            file = target / each.relative_to(original)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(each.read_bytes())
    return target


def forge(folder: Path, change: Callable[[dict[str, Any]], None], of: str = "pot/pot") -> dict[str, Any]:
    """Changes the manifest, and every hash that would give it away."""
    path = folder / "out" / of / "manifest.json"
    manifest = json.loads(path.read_text())
    change(manifest)
    path.write_text(json.dumps(manifest))
    index = json.loads((folder / "out" / "index.json").read_text())
    entry = next(each for each in index["certificates"] if each["directory"] == of)
    entry["sha256"] = sha256(path.read_bytes())
    (folder / "out" / "index.json").write_text(json.dumps(index))
    return manifest


# ---------------------------------------------------------------- as they are


def test_a_written_proof_is_confirmed(run: Cli, folder: Path):
    done = run("verify", folder / "out", "--rulebook", folder / "pot.rulebook")
    assert done.code == 0, done.out
    assert "CONFIRMED" in done.out and "confirmed by cvc5" in done.out
    assert run("verify", folder / "out" / "pot" / "pot").code == 0  # a single one


def test_several_processes_come_to_the_same(run: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(verify, "FEW", 1)
    done = run("verify", folder / "out", "--jobs", 2)
    assert done.code == 0, done.out


def test_everything_written_is_as_its_schema_says(run: Cli, folder: Path):
    valid = lambda document, name: jsonschema.Draft202012Validator(schema(name)).validate(document)  # noqa: E731
    manifest = json.loads((folder / "out" / "pot" / "pot" / "manifest.json").read_text())
    valid(manifest, "certificate")
    valid(json.loads((folder / "out" / "index.json").read_text()), "certificates")
    done = run("verify", folder / "out", "--format", "json")
    valid(json.loads(done.out), "verification")
    assert json.loads(done.out)["certificates"][0]["verdict"] == "confirmed"
    assert manifest["lemmas"] and manifest["tool"]["source"] != manifest["rulebook"]["sha256"]
    transition = {each["transition"] for each in manifest["obligations"]}
    assert {"start", "action deposit(t=0)", "action hand(from_=0, to_=0)", "action hand(from_=0, to_=1)"} <= transition


def test_a_manifest_names_rulebook_tool_and_solvers_by_their_hashes(folder: Path):
    manifest = json.loads((folder / "out" / "pot" / "pot" / "manifest.json").read_text())
    assert manifest["rulebook"]["sha256"] == sha256((folder / "pot.rulebook").read_bytes())
    assert manifest["tool"]["source"] == certify.source_hash()
    for name in ("z3", "cvc5"):
        assert re.fullmatch(r"[\d.]+ sha256:[0-9a-f]{64}", manifest["tool"]["solvers"][name])


def test_a_step_says_in_plain_words_what_it_is_and_is_whole(folder: Path):
    text = (folder / "out" / "pot" / "pot" / "000.smt2").read_text()
    assert text.startswith("; claim `pot` holds at rest")
    assert "(set-logic QF_LRA)" in text and text.endswith("(check-sat)\n") and mistake(text) == ""
    assert text.isascii() and "; lemma: " in text


def test_verify_reads_nothing_of_the_language_or_the_prover(folder: Path):
    probe = (
        "import sys; from specforge.apps.cli import main; code = main(['verify', sys.argv[1]]);"
        "print([each for each in sys.modules if each.split('.')[:2] in"
        " [['specforge', name] for name in ('core', 'elaborate', 'engines', 'syntax', 'pipeline')]]); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", probe, str(folder / "out")], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stdout.endswith("[]\n"), done.stdout + done.stderr


def test_the_same_proof_is_written_the_same_way_again(original: Path, tmp_path: Path):
    command = [sys.executable, "-m", "specforge.apps.cli", "certify", str(original / "pot.rulebook"), "--only", "pot"]
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        subprocess.run([*command, "--output", str(tmp_path / seed)], check=True, capture_output=True, env=environment)
        for each in (original / "out").rglob("*.*"):
            assert each.read_bytes() == (tmp_path / seed / each.relative_to(original / "out")).read_bytes()


# ---------------------------------------------------------------- spoiled


def test_an_edited_step_is_noticed(run: Cli, folder: Path):
    path = folder / "out" / "pot" / "pot" / "000.smt2"
    path.write_bytes(path.read_bytes().replace(b"0.0", b"1.0", 1))
    done = run("verify", folder / "out")
    assert done.code == 1 and "pot/pot/000.smt2 was changed" in done.out


def test_an_edited_manifest_or_index_is_noticed(run: Cli, folder: Path):
    path = folder / "out" / "pot" / "pot" / "manifest.json"
    kept = path.read_bytes()
    path.write_bytes(kept.replace(b"nothing", b"n0thing") + b" ")
    done = run("verify", folder / "out")
    assert done.code == 1 and "manifest.json is not the file that index.json speaks of" in done.out
    path.write_text("{")
    assert run("verify", folder / "out").code == 1
    path.write_bytes(kept)
    (folder / "out" / "index.json").write_text('{"schema": "specforge/certificates/2", "certificates": [], "unwritten": []}')
    assert run("verify", folder / "out").code == 1


@pytest.mark.parametrize("name", ["000.smt2", "manifest.json"])
def test_a_missing_file_is_noticed(run: Cli, folder: Path, name: str):
    (folder / "out" / "pot" / "pot" / name).unlink()
    done = run("verify", folder / "out")
    assert done.code == 1 and f"pot/pot/{name} is missing" in done.out


def test_a_file_too_many_is_noticed(run: Cli, folder: Path):
    (folder / "out" / "pot" / "pot" / "999.smt2").write_text("(check-sat)")
    assert run("verify", folder / "out").code == 1
    (folder / "out" / "pot" / "pot" / "999.smt2").unlink()
    (folder / "out" / "notes.txt").write_text("")
    done = run("verify", folder / "out")
    assert done.code == 1 and "notes.txt belongs to no certificate" in done.out


def test_another_rulebook_is_noticed(run: Cli, folder: Path):
    (folder / "pot.rulebook").write_text(BOOK.replace("amount > 0", "amount >= 0"), encoding="utf-8")
    done = run("verify", folder / "out", "--rulebook", folder / "pot.rulebook")
    assert done.code == 1 and "is not the text that was certified" in done.out


# ---------------------------------------------------------------- forged, with all hashes made to fit


def drop(manifest: dict[str, Any], at: int) -> None:
    del manifest["obligations"][at]


def test_a_dropped_step_is_noticed(run: Cli, folder: Path):
    manifest = forge(folder, lambda each: drop(each, 0))
    (folder / "out" / "pot" / "pot" / "000.smt2").unlink()
    assert len(manifest["obligations"]) > 3
    done = run("verify", folder / "out")
    assert done.code == 1 and "a step is missing: the claim holds at rest" in done.out


def test_every_single_step_is_needed(folder: Path):
    manifest = json.loads((folder / "out" / "pot" / "pot" / "manifest.json").read_text())
    assert gaps(manifest) == []
    for at in range(len(manifest["obligations"])):
        spoiled = json.loads(json.dumps(manifest))
        drop(spoiled, at)
        assert any("a step is missing" in each for each in gaps(spoiled))


def test_a_lemma_without_its_steps_is_noticed(folder: Path):
    manifest = json.loads((folder / "out" / "pot" / "pot" / "manifest.json").read_text())
    name = next(each for step in manifest["obligations"] if not step["shows"] for each in step["lemmas"])
    manifest["lemmas"] = [each for each in manifest["lemmas"] if each["name"] != name]
    manifest["obligations"] = [each for each in manifest["obligations"] if each["shows"] != name]
    assert any("rests on something that nobody has shown" in each for each in gaps(manifest))


def test_what_is_assumed_without_saying_so_is_noticed(folder: Path):
    manifest = json.loads((folder / "out" / "pot" / "pot" / "manifest.json").read_text())
    manifest["obligations"][0]["assumes"] = ["given nobody_pays"]
    assert any("`given nobody_pays`" in each for each in gaps(manifest))


def test_a_rule_left_out_with_all_its_steps_is_noticed_beside_the_rulebook(run: Cli, folder: Path):
    def change(manifest: dict[str, Any]) -> None:
        manifest["rules"]["actions"] = [each for each in manifest["rules"]["actions"] if each["name"] != "hand"]
        manifest["obligations"] = [each for each in manifest["obligations"] if "hand" not in each["transition"]]

    manifest = forge(folder, change)
    kept = {each["file"] for each in manifest["obligations"]}
    for each in (folder / "out" / "pot" / "pot").glob("*.smt2"):
        if each.name not in kept:
            each.unlink()
    assert run("verify", folder / "out").code == 0  # from the files alone nobody can know (docs/trust.md)
    done = run("verify", folder / "out", "--rulebook", folder / "pot.rulebook")
    assert done.code == 1 and "leaves out the action `hand`" in done.out


def test_a_step_that_does_not_hold_is_refuted(run: Cli, folder: Path):
    path = folder / "out" / "pot" / "pot" / "000.smt2"
    path.write_text("(set-logic QF_LRA)\n(declare-fun x () Real)\n(assert (> x 0.0))\n(check-sat)\n")

    def change(manifest: dict[str, Any]) -> None:
        manifest["obligations"][0]["sha256"] = sha256(path.read_bytes())

    forge(folder, change)
    done = run("verify", folder / "out")
    assert done.code == 1 and "pot/pot/000.smt2 does not hold: cvc5 finds values" in done.out


def test_what_only_z3_decides_is_open(run: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(verify, "ask_cvc5", lambda text, units: "unknown")
    done = run("verify", folder / "out")
    assert done.code == 4 and "not re-checked by a second solver" in done.out and "z3 confirms it" in done.out
    monkeypatch.setattr(verify, "ask_z3_apart", lambda text, rlimit: "unknown")
    done = run("verify", folder / "out")
    assert done.code == 4 and "nobody confirms it" in done.out


@pytest.mark.parametrize(("solve", "options"), [(second._cvc5, [{}]), (second.ask_z3, [])])
def test_a_solver_that_does_not_come_back_is_ended_and_the_next_question_is_asked_of_a_new_one(solve: Any, options: list[Any]):
    text = "(set-logic QF_LRA)(declare-fun x () Real)(assert (> x x))(check-sat)"
    asked = second._Apart(solve, 20)
    assert asked.ask(text, 1000, *options) == "unsat"
    os.kill(asked.process.pid, signal.SIGSTOP)  # it will not answer, however long anybody waits
    asked.seconds = -2
    assert asked.ask(text, 1000, *options) == "unknown"
    asked.seconds = 20
    assert asked.ask(text, 1000, *options) == "unsat"
    with pytest.raises(ValueError):
        asked.ask("(assert y)(check-sat)", 1000, *options)
    os.kill(asked.process.pid, signal.SIGKILL)
    asked.process.join()
    assert [asked.ask(text, 1000, *options) for _ in range(2)] == ["unknown", "unsat"]


def test_whoever_waits_long_for_the_next_question_is_still_there():
    text = "(set-logic QF_LRA)(declare-fun x () Real)(assert (> x x))(check-sat)"
    asked = second._Apart(second.ask_z3, 0.5)  # ends itself after one second, if it is at work
    assert asked.ask(text, 1000) == "unsat"
    time.sleep(1.5)
    assert asked.process.is_alive() and asked.ask(text, 1000) == "unsat"


def test_without_cvc5_it_says_so(run: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(verify, "has_cvc5", lambda: False)
    done = run("verify", folder / "out")
    assert done.code == 2 and "pip install 'specforge[certify]'" in done.err
    assert run("verify", folder / "out", "--solver", "z3").code == 4


# ---------------------------------------------------------------- what nobody asked for


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("house")
    (folder / "house.rulebook").write_text(HOUSE, encoding="utf-8")
    assert main(["certify", str(folder / "house.rulebook"), "--output", str(folder / "out")]) == 0
    return folder


@pytest.fixture
def shed(house: Path, tmp_path: Path) -> Path:
    """A copy to be spoiled."""
    return copied(house, tmp_path)


def manifest_of(folder: Path, name: str) -> dict[str, Any]:
    return json.loads((folder / "out" / "house" / name / "manifest.json").read_text())


def test_every_proof_of_a_check_is_written_and_confirmed(run: Cli, shed: Path):
    index = json.loads((shed / "out" / "index.json").read_text())
    jsonschema.Draft202012Validator(schema("certificates")).validate(index)
    kinds = {(each["kind"], each["claim"]) for each in index["certificates"]}
    checks = {("check", "funded"), ("check", "rests")}
    assert kinds == {("claim", "calm"), ("condition", "calm"), ("reach", "closed"), ("rule", "reopen"), *checks}
    done = run("verify", shed / "out", "--rulebook", shed / "house.rulebook")
    assert done.code == 0, done.out
    for said in ("funded (free check)", "reopen never happens", "closed is never reached", "condition of calm never met"):
        assert said in done.out
    for each in index["certificates"]:
        manifest = json.loads((shed / "out" / each["directory"] / "manifest.json").read_text())
        jsonschema.Draft202012Validator(schema("certificate")).validate(manifest)
        assert gaps(manifest) == []


def test_what_check_proves_by_induction_is_what_is_written(house: Path):
    """Row by row, whatever kind it is."""
    told: list[Any] = []
    system, _ = load(str(house / "house.rulebook"))
    assert system is not None
    decide(system, "house", CheckOptions(), Clock(math.inf), lambda text: None, told.append)
    proved = [each for each in told if each.engine == "induction" and each.name != "idle"]
    rows = {(each.kind, each.name) for each in proved if each.name not in ("alive", "vacuous")}
    index = json.loads((house / "out" / "index.json").read_text())
    words = {"check": "free", "claim": "claim", "reach": "reach"}
    assert rows == {(words[each["kind"]], each["claim"]) for each in index["certificates"] if each["kind"] in words}
    never = {each["kind"] for each in index["certificates"]} & {"rule", "condition"}
    assert len(proved) - len(rows) == len(never) == 2


def test_where_something_may_go_wrong_is_listed_rule_by_rule(house: Path):
    manifest = manifest_of(house, "free-funded")
    places = {each["rule"]: each for each in manifest["places"]}
    assert set(places) == {"deposit", "fee", "ask", "answer", "reopen"}
    assert [len(each["at"]) for each in places.values()] == [1, 1, 0, 0, 0]
    assert places["fee"]["members"] == {"Trader": 1} and places["deposit"]["members"] == {}
    parts = [each["shows"] for each in manifest["obligations"] if each["transition"].startswith("action fee")]
    place = places["fee"]["at"][0]
    assert place.startswith("funded at ") and f"{place} #0" in parts and f"{place} #1" in parts


@pytest.mark.parametrize("name", ["free-funded", "free-rests", "never-reopen", "unreached-closed", "unmet-calm"])
def test_every_step_and_every_part_of_one_is_needed(house: Path, name: str):
    manifest = manifest_of(house, name)
    assert gaps(manifest) == [] and manifest["obligations"]
    for at, each in enumerate(manifest["obligations"]):
        spoiled = json.loads(json.dumps(manifest))
        drop(spoiled, at)
        if each["shows"].endswith(" #1"):  # how many parts there are, the table cannot say
            assert each["shows"].startswith("funded at ") and gaps(spoiled) == []
        else:
            assert any("is missing" in each for each in gaps(spoiled))


def test_a_free_check_without_places_or_measures_is_no_proof(house: Path):
    funded = manifest_of(house, "free-funded")
    bare = {**funded, "places": [], "obligations": [], "lemmas": []}
    assert any("may go wrong" in each for each in gaps(bare))
    other = {**bare, "claim": {**funded["claim"], "moment": {"at": "each settling", "rule": "", "then": ""}}}
    assert any("when the claim is judged" in each for each in gaps(other))
    rests = manifest_of(house, "free-rests")
    assert any("no measure falls when `answer` acts" in each for each in gaps({**rests, "measures": [], "obligations": []}))
    renamed = json.loads(json.dumps(funded).replace("funded at", "defined at"))
    assert any("is not the name of a place" in each for each in gaps(renamed))
    assert any("what is proved" in each for each in gaps({**funded, "claim": {**funded["claim"], "kind": "anything"}}))


def test_an_edited_step_of_a_free_check_is_noticed(run: Cli, shed: Path):
    path = next((shed / "out" / "house" / "free-funded").glob("*.smt2"))
    path.write_bytes(path.read_bytes().replace(b"0.0", b"1.0", 1))
    done = run("verify", shed / "out")
    assert done.code == 1 and f"house/free-funded/{path.name} was changed" in done.out


@pytest.mark.parametrize("name", ["never-reopen", "unreached-closed", "unmet-calm"])
def test_a_wrong_lemma_is_refuted(run: Cli, shed: Path, name: str):
    """With every hash made to fit: what is said to hold at the start does not."""

    def change(manifest: dict[str, Any]) -> None:
        step = next(each for each in manifest["obligations"] if each["lemmas"] and each["file"] and not each["shows"])
        path = shed / "out" / "house" / name / step["file"]
        lines = path.read_text().splitlines()
        at = next(at for at, line in enumerate(lines) if line.startswith("; lemma"))
        lines[at + 1] = "(assert true)"  # the lemma says nothing
        path.write_text("\n".join(lines) + "\n")
        step["sha256"] = sha256(path.read_bytes())

    forge(shed, change, f"house/{name}")
    done = run("verify", shed / "out")
    assert done.code == 1 and "does not hold" in done.out


def test_another_reach_is_noticed_beside_the_rulebook(run: Cli, shed: Path):
    def change(manifest: dict[str, Any]) -> None:
        manifest["claim"]["name"] = "open"

    forge(shed, change, "house/unreached-closed")
    index = json.loads((shed / "out" / "index.json").read_text())
    next(each for each in index["certificates"] if each["kind"] == "reach")["claim"] = "open"
    (shed / "out" / "index.json").write_text(json.dumps(index))
    done = run("verify", shed / "out", "--rulebook", shed / "house.rulebook")
    assert done.code == 1 and "is about the reach `open`, which the rulebook does not make" in " ".join(done.out.split())


def test_what_is_proved_without_a_certificate_is_said(run: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    book = tmp_path / "pot.rulebook"
    book.write_text(BOOK, encoding="utf-8")
    monkeypatch.setattr(portfolio, "prove", lambda *_, **__: {})  # the prover for any number finds nothing
    agenda = certify.agenda_of(book, CheckOptions(only=("pot",)), Clock(math.inf))
    (entry,) = certify.certified(agenda, certify.looked(agenda), "0" * 64)
    assert entry.unwritten and entry.certificate is None and entry.reason.startswith("proved for 3 members only")
    about = {"rulebook": "pot.rulebook", "kind": "claim", "name": "pot", "given": [], "why": entry.reason}
    write(tmp_path / "out", [], [about])
    done = run("verify", tmp_path / "out")
    assert done.code == 1 and "proved without a certificate" in done.out and "proved for 3 members only" in done.out


# ---------------------------------------------------------------- the command


def test_a_claim_that_is_not_proved_is_said_to_be_open(run: Cli, folder: Path):
    done = run("certify", folder / "pot.rulebook", "--only", "never", "--output", folder / "never")
    assert done.code == 4 and "OPEN" in done.out and "0 of 1 claims" in done.out
    assert run("verify", folder / "never").code == 1  # no certificate is no confirmation


def test_what_is_open_when_the_time_is_over_says_so(tmp_path: Path):
    book = tmp_path / "pot.rulebook"
    book.write_text(BOOK, encoding="utf-8")
    agenda = certify.agenda_of(book, CheckOptions(only=("pot", "never"), budget=9.0), Clock(time.monotonic()))
    assert [each.reason for each in certify.certified(agenda, certify.NOTHING, "0" * 64)] == [certify.NO_TIME] * 2
    entry = certify.Entry("claim", "never", reason="the induction does not go through")
    assert certify._in_time(entry).reason == "the induction does not go through, in the time given"
    assert certify._in_time(evolve(entry, unwritten=True)).reason == entry.reason


def test_other_files_are_never_written_over(run: Cli, folder: Path):
    done = run("certify", folder / "pot.rulebook", "--output", folder)
    assert done.code == 2 and "other things than certificates" in done.err
    assert (folder / "pot.rulebook").read_text(encoding="utf-8") == BOOK


def test_mistakes_on_the_command_line(run: Cli, folder: Path):
    assert "did you mean `pot`?" in run("certify", folder / "pot.rulebook", "--only", "pod").err
    assert run("verify", folder / "nowhere").code == 2
    assert "no certificate was written there" in run("verify", folder).err
    (folder / "broken.rulebook").write_text('rulebook "B" "b"\nclaim x "x":\n    y = 1\n')
    assert run("certify", folder / "broken.rulebook", "--output", folder / "x").code == 3


# ---------------------------------------------------------------- a solver that does not come back

WORK = certify._work


def stuck(piece: certify.Piece, options: CheckOptions, source: str, line: Any) -> None:
    os._exit(workers.STUCK)


def stuck_at_first(piece: certify.Piece, options: CheckOptions, source: str, line: Any) -> None:
    if not piece.again:
        os._exit(workers.STUCK)
    WORK(piece, options, source, line)


def stuck_while_looking(piece: certify.Piece, options: CheckOptions, source: str, line: Any) -> None:
    if piece.known is None:
        os._exit(workers.STUCK)
    WORK(piece, options, source, line)


def asks_what_never_ends(piece: certify.Piece, options: CheckOptions, source: str, line: Any) -> None:
    monkey = pytest.MonkeyPatch()
    monkey.setattr(workers, "LATE", 0.1)
    monkey.setattr(certify, "certified", late)
    WORK(piece, options, source, line)


def late(*_: Any) -> None:
    with due_in(0.1):
        time.sleep(60)


def killed(piece: certify.Piece, options: CheckOptions, source: str, line: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("how", [stuck_at_first, stuck_while_looking])
def test_where_it_comes_back_with_another_seed_the_proof_is_written(run: Cli, folder: Path, monkeypatch, how: Any):
    monkeypatch.setattr(certify, "_work", how)
    done = run("certify", folder / "pot.rulebook", "--only", "pot", "--output", folder / "again")
    assert done.code == 0 and "1 of 1 claims" in done.out
    assert run("verify", folder / "again").code == 0


@pytest.mark.parametrize("how", [stuck, asks_what_never_ends])
def test_where_it_never_comes_back_the_claims_are_open_and_say_so(run: Cli, folder: Path, monkeypatch, how: Any):
    monkeypatch.setattr(certify, "_work", how)
    done = run("certify", folder / "pot.rulebook", "--output", folder / "lost")
    said = " ".join(done.out.split())
    assert done.code == 4 and "0 of 2 claims" in said and f"OPEN pot pot {workers.NEVER}" in said
    assert "nothing of 1 rulebook (`--only NAME` asks the solver for less at once)" in said
    assert run("certify", folder / "pot.rulebook", "--only", "funded", "--output", folder / "lost").code == 4


def test_a_rulebook_that_is_lost_takes_no_other_with_it(run: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch):
    (folder / "lost.rulebook").write_text(BOOK, encoding="utf-8")
    monkeypatch.setattr(certify, "_work", stuck_in_lost)
    books = folder / "lost.rulebook", folder / "pot.rulebook"
    done = run("certify", *books, "--only", "pot", "--jobs", 1, "--output", folder / "both")
    assert done.code == 4 and "OPEN       lost" in done.out and "CERTIFIED  pot" in done.out
    assert run("verify", folder / "both").code == 0


def stuck_in_lost(piece: certify.Piece, options: CheckOptions, source: str, line: Any) -> None:
    (stuck if piece.path.stem == "lost" else WORK)(piece, options, source, line)


def test_a_worker_that_is_killed_is_an_internal_error(run: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(folder)
    monkeypatch.setattr(certify, "_work", killed)
    assert run("certify", folder / "pot.rulebook", "--output", folder / "lost").code == 70


# ---------------------------------------------------------------- the parts


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("(assert true)", "must stand once, at the end"),
        ("(check-sat)(assert false)", "must stand once, at the end"),
        ("(check-sat)", "no fact"),
        ('(set-option :regular-output-channel "x")(assert false)(check-sat)', "`set-option` has no place"),
        ('(echo "unsat")(assert true)(check-sat)', "`echo` has no place"),
        ("(declare-fun f (Real) Real)(assert true)(check-sat)", "plain unknown"),
        ("(define-fun x () Bool false)(assert x)(check-sat)", "`define-fun` has no place"),
        ("(set-info :status sat)(assert true)(check-sat)", "other than the version"),
        ("unsat (assert true)(check-sat)", "outside every command"),
        ("(assert true))(check-sat)", "closes what none opened"),
        ("(assert |x)(check-sat)", "does not end"),
        ("(assert true)(check-sat", "not closed"),
        ('(assert (= |a;b| "x)""")) ; (exit)\n(check-sat)', ""),
    ],
)
def test_only_facts_and_one_question_are_carried_out(text: str, says: str):
    assert mistake(text) == says if not says else says in mistake(text)


def test_a_comment_stays_on_its_line():
    assert comment("a\n(check-sat)\r\u2028é") == "a\\u{a}(check-sat)\\u{d}\\u{2028}\\u{e9}"


def test_members_coincide_in_every_way():
    parties = {"T": {"open": True, "members": 0}, "C": {"open": False, "members": 2}, "N": {"open": True, "members": 1}}
    named = lambda *of: [{"name": f"p{at}", "party": party} for at, party in enumerate(of)]  # noqa: E731
    assert list(coincidences(named("T", "T"), parties)) == [["p0=0", "p1=0"], ["p0=0", "p1=1"]]
    assert len(list(coincidences(named("T", "T", "T"), parties))) == 5  # the ways to put three people into groups
    assert len(list(coincidences(named("C", "C"), parties))) == 4
    assert list(coincidences(named("N"), parties)) == [["p0=0"], ["p0=1"]]
    assert list(coincidences([], parties)) == [[]]


def test_steps_follow_from_the_table():
    rules = {
        "parties": [{"name": "T", "open": True, "members": 0}], "choices": [{"parameter": "way", "values": 2}],
        "actions": [{"name": "pay", "members": [{"name": "t", "party": "T"}]}], "called": [],
        "duties": [{"name": "cover", "members": [], "once": False}],
    }  # fmt: skip
    assert [each.name for each in transitions(rules)] == [
        f"{what} [way={way}]" for way in (0, 1) for what in ("start", "rest", "action pay(t=0)", "duty cover()")
    ]
    manifest = {
        "rules": rules,
        "claim": {"moment": {"at": "action", "rule": "pay", "then": "cover"}, "members": {"T": 1}},
        "lemmas": [{"name": "l", "members": {}}],
        "measures": [],
        "places": [],
    }
    found = {(each.shows, each.transition, each.members) for each in steps(manifest)}
    assert found == {
        *(("", f"action pay(t=0) then cover [way={way}]", members) for way in (0, 1) for members in ("", "1 T")),
        *(("l", f"{what} [way={way}]", "") for way in (0, 1) for what in ("start", "action pay(t=0)", "duty cover()")),
    }  # fmt: skip


def test_settling_is_shown_by_measures_that_leave_no_duty_out():
    duties = [{"name": name, "members": [{"name": "t", "party": "T"}], "once": name == "c"} for name in "abc"]
    rules = {
        "parties": [{"name": "T", "open": True, "members": 0}], "choices": [], "actions": [], "called": [], "duties": duties,
    }  # fmt: skip
    manifest: dict[str, Any] = {
        "rules": rules, "claim": {"kind": "claim", "moment": {"at": "rest", "rule": "", "then": ""}, "members": {}},
        "lemmas": [], "premises": [], "places": [],
        "measures": [
            {"name": "settling 1", "members": {"T": 1}, "falls": {"b": {}}},
            {"name": "settling 2", "members": {}, "falls": {"a": {"T": 1}}},
        ],
    }  # fmt: skip
    found = {(each.shows, each.transition, each.members) for each in steps(manifest) if each.shows}
    assert found == {
        *(("settling 1", f"duty {name}(t=0)", members) for name in "ab" for members in ("", "1 T")),
        ("settling 1 falls", "duty b(t=0)", ""),
        ("settling 2", "duty a(t=0)", ""),
        *(("settling 2 falls", "duty a(t=0)", members) for members in ("", "1 T")),
    }
    whole = {
        **manifest, "given": [], "verdict": "proved", "members": "any", "steps": "any",
        "obligations": [
            {"shows": each.shows, "transition": each.transition, "members": each.members, "lemmas": [], "assumes": [],
             "decided": "plain", "file": None}
            for each in steps(manifest)
        ],
    }  # fmt: skip
    assert gaps(whole) == []
    assert any("no measure falls when `a` acts" in each for each in gaps({**whole, "measures": whole["measures"][:1]}))
    assert any("`a` may act for ever" in each for each in gaps({**whole, "measures": []}))
    twice = [whole["measures"][0], {**whole["measures"][1], "falls": {"a": {}, "b": {}}}]
    assert any("is said to fall where it need not" in each for each in gaps({**whole, "measures": twice}))


def test_included_rules_are_counted_among_the_rulebooks_own(run: Cli, tmp_path: Path):
    (tmp_path / "part.rulebook").write_text(
        'rulebook "Part"\nparty Venue, one:\n    tally: number = 0\naction knock(who: Caller):\n    Venue.tally += 1\n'
        "party Caller:\n    seen: flag = no\naction gone:\n    nothing\n"
    )
    book = tmp_path / "whole.rulebook"
    book.write_text(
        'rulebook "Whole"\ninclude "part.rulebook" with Caller as Trader, knock as ring without gone\n'
        'include "std/haircut.rulebook" with COIN as BTC without liquidate, share_the_loss, settlement\n'
        'include "std/linear.rulebook" with COIN as BTC without withdraw\n'
        "claim worth:\n    (sum of equity(t) for t: Trader) + venue_equity = holdings(USD)\n"
    )
    target = tmp_path / "out"
    assert run("certify", book, "--output", target, "--jobs", "1").code == 0
    done = run("verify", target, "--rulebook", book, "--jobs", "1")
    assert done.code == 0, done.out
    text = (tmp_path / "part.rulebook").read_text()
    (tmp_path / "part.rulebook").write_text(text.replace("+= 1", "+= 2"))
    changed = run("verify", target, "--rulebook", book, "--jobs", "1")
    assert changed.code == 1 and "part.rulebook is not the text that was certified" in " ".join(changed.out.split())
