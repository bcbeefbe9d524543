"""`specforge check`: its layouts, its exit codes, and what machines get."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from specforge.apps.schema import schema
from specforge.evidence.verdict import Result, Scope, Verdict
from tests.apps import fake_pipeline
from tests.apps.conftest import SMALL, Cli


def valid(document: object, name: str) -> None:
    jsonschema.Draft202012Validator(schema(name)).validate(document)


# ---------------------------------------------------------------- exit codes


def rows(monkeypatch: pytest.MonkeyPatch, *results: Result) -> None:
    """The pipeline finds these rows and no others."""
    monkeypatch.setattr(fake_pipeline, "rows", lambda system, path: results)
    monkeypatch.setattr(fake_pipeline, "scenario_results", lambda system: [])


def claim(verdict: Verdict = Verdict.PROVED, **kinds: object) -> Result:
    fields = {"kind": "claim", "rulebook": "x", "name": "c", "met": True, "scope": Scope("any", "any"), "engine": "table"}
    return Result(verdict=verdict, **{**fields, **kinds})  # type: ignore[arg-type]


def test_0_when_every_expectation_is_met(cli: Cli, small: Path, monkeypatch):
    rows(monkeypatch, claim())
    done = cli("check", small)
    assert done.code == 0 and "every expectation is met (1 of 1)" in done.out


def test_1_when_something_contradicts(cli: Cli, small: Path, monkeypatch):
    rows(monkeypatch, claim(), claim(Verdict.REFUTED, met=False, contradicts=True, expected="proved"))
    done = cli("check", small)
    assert done.code == 1 and "contradicted: 1 of 2 expectations: small c" in done.out


def test_1_when_a_scenario_fails(cli: Cli, small: Path):
    small.write_text(SMALL.replace("hole = 20 USD", "hole = 21 USD"))
    done = cli("check", small)
    assert done.code == 1
    assert "`check Venue.hole = 21 USD` fails: Venue.hole should be 21 USD, but is 20 USD" in " ".join(done.out.split())


def test_3_when_it_does_not_compile_and_the_place_is_shown(cli: Cli, small: Path):
    small.write_text(SMALL.replace("Venue.hole = 0\n", "Venue.hale = 0\n"))
    done = cli("check", small)
    assert done.code == 3
    assert "error[SF" in done.out and "small.rulebook:13" in done.out and "not compiled: " in done.out


def test_4_when_something_is_undecided(cli: Cli, small: Path, monkeypatch):
    rows(monkeypatch, claim(), claim(Verdict.BOUNDED, met=None, expected="proved", scope=Scope(3, 5)))
    done = cli("check", small)
    assert done.code == 4 and "undecided: 1 of 2 expectations: small c" in done.out


def test_5_when_a_claim_is_vacuous(cli: Cli, small: Path, monkeypatch):
    rows(monkeypatch, claim(vacuous=True), claim(Verdict.UNKNOWN, met=None))
    assert cli("check", small).code == 5


def test_130_and_what_is_known_when_interrupted(cli: Cli, pipeline, small: Path, monkeypatch):
    def interrupted(paths, options, on_result, on_progress, on_file):
        on_result(claim(rulebook=str(small), name="half_way"))
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline, "check", interrupted)
    done = cli("check", small)
    assert done.code == 130
    assert "half_way" in done.out and "interrupted: this is what was known by then" in done.out


def test_fail_on_counts_verdicts_whatever_was_expected(cli: Cli, small: Path, monkeypatch):
    rows(monkeypatch, claim(Verdict.REFUTED, met=True, expected="refuted"), claim(Verdict.BOUNDED, met=None))
    assert cli("check", small).code == 4
    assert cli("check", small, "--fail-on", "refuted").code == 1
    assert cli("check", small, "--fail-on", "unknown").code == 0
    assert cli("check", small, "--fail-on", "vacuous").code == 0
    assert cli("check", small, "--fail-on", "any").code == 1


def test_the_tables_stand_in_the_order_of_the_files_each_once_whatever_is_finished_first(
    cli: Cli, pipeline, tmp_path, monkeypatch
):
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.rulebook").write_text(SMALL)
    seen: list[str] = []
    real = pipeline.check

    def backwards(paths, options, on_result, on_progress, on_file):
        report = real(paths, options, on_result, on_progress)
        for file in reversed(report.files[:-1]):
            on_file(file)
            seen.append(file.path.stem)
        return report

    monkeypatch.setattr(pipeline, "check", backwards)
    lines = cli("check", str(tmp_path), "--only", "no_hole").out.splitlines()
    heads = [line for line in lines if line.startswith(str(tmp_path)) and "1 claim" in line]
    assert seen == ["b", "a"] and [Path(line.split()[0]).stem for line in heads] == ["a", "b", "c"]


@pytest.mark.parametrize("format", ("text", "plain", "jsonl"))
def test_whoever_reads_may_stop_reading(pipeline, small: Path, format: str):
    read, write = os.pipe()
    os.close(read)
    program = """
import sys, specforge
from tests.apps import fake_pipeline
specforge.pipeline = sys.modules["specforge.pipeline"] = fake_pipeline
from specforge.apps.cli import main
sys.exit(main())
"""
    with os.fdopen(write, "w") as stdout:
        command = [sys.executable, "-c", program, "check", str(small), "--format", format]
        done = subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])
    assert done.returncode == 130 and done.stderr == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is full")
@pytest.mark.parametrize("format", ("text", "json", "jsonl"))
def test_a_full_disk_is_said_in_a_sentence(cli: Cli, small: Path, format: str):
    done = cli("check", small, "--format", format, "--output", "/dev/full")
    assert done.code == 2 and done.err.endswith("specforge: cannot write to `/dev/full`: no space left on device\n")


# ---------------------------------------------------------------- what is printed


def test_text_shows_the_table_and_each_counterexample(cli: Cli, bitmex: str):
    done = cli("check", bitmex)
    lines = done.out.splitlines()
    assert lines[0].startswith(bitmex) and "REFUTED as expected   5 claims" in lines[0]
    assert any(line.startswith("  BOUNDED  matched ") and "not yet proved" in line for line in lines)
    assert "4 actions, 3 members, shortest up to 3 members; replayed exactly" in done.out
    assert "why   venue_equity should be at least 0, but is -8 USD" in done.out
    assert f"next  specforge trace {bitmex} solvent --format scenario" in done.out
    assert all(len(line) <= 100 for line in lines if not line.startswith(("next", bitmex)))


def test_plain_is_ascii_without_colour(cli: Cli, bitmex: str):
    done = cli("check", bitmex, "--format", "plain", "--color", "always")
    assert done.out.isascii() and "\x1b" not in done.out


def test_colour_only_on_a_terminal_unless_it_is_asked_for(cli: Cli, bitmex: str):
    assert "\x1b" not in cli("check", bitmex).out
    assert "\x1b[31mREFUTED" in cli("check", bitmex, "--color", "always").out


def test_output_goes_to_a_file_and_the_summary_to_the_screen(cli: Cli, bitmex: str, tmp_path: Path):
    target = tmp_path / "report.txt"
    done = cli("check", bitmex, "--output", str(target))
    assert done.out == "" and "undecided: " in done.err
    assert target.read_text().startswith(bitmex)


def test_json_is_one_document_that_its_schema_describes(cli: Cli, bitmex: str):
    done = cli("check", bitmex, "--format", "json")
    document = json.loads(done.out)
    valid(document, "report")
    assert document["exit_code"] == done.code == 4
    (solvent, *_) = (each for each in document["files"][0]["results"] if each["claim"] == "solvent")
    assert solvent["trace"]["steps"][0]["args"][2] == {"name": "size", "value": "1", "unit": "XBT"}
    assert solvent["trace"]["steps"][-1]["claims"] == ["solvent"]
    assert document["tool"]["name"] == "specforge" and "z3" in document["tool"]["solvers"]


def test_json_of_what_does_not_compile_is_valid_too(cli: Cli, small: Path):
    small.write_text(SMALL.replace("Venue.hole = 0\n", "Venue.hale = 0\n"))
    document = json.loads(cli("check", small, "--format", "json").out)
    valid(document, "report")
    assert document["exit_code"] == 3 and document["files"][0]["diagnostics"][0]["code"].startswith("SF2")


def test_jsonl_is_one_object_a_line_as_soon_as_it_is_known(cli: Cli, bitmex: str):
    lines = [json.loads(line) for line in cli("check", bitmex, "--format", "jsonl").out.splitlines()]
    for line in lines[:-1]:
        valid(line, "result")
    valid(lines[-1], "summary")
    assert any(line["trace"] is not None for line in lines[:-1])


def test_only_restricts_the_rows(cli: Cli, bitmex: str):
    out = cli("check", bitmex, "--only", "matched").out
    assert "matched" in out and "solvent" not in out
