"""`specforge run`, `trace` and `schema`; what one writes, another reads back."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from specforge.apps.schema import NAMES, schema
from tests.apps.conftest import EXAMPLES, SMALL, Cli

SECOND = ("certificate", "certificates", "verification")  # formats that have changed since they were first written


def valid(document: object, name: str) -> None:
    jsonschema.Draft202012Validator(schema(name)).validate(document)


@pytest.mark.parametrize("name", NAMES)
def test_every_schema_is_a_schema_and_complete(cli: Cli, name: str):
    document = json.loads(cli("schema", name).out)
    jsonschema.Draft202012Validator.check_schema(document)
    version = 2 if name in SECOND else 1
    assert document["$id"] == f"urn:specforge:{name}:{version}"


# ---------------------------------------------------------------- run


def test_run_executes_every_scenario(cli: Cli, bitmex: str):
    done = cli("run", bitmex)
    assert done.code == 0
    assert "check  venue_equity < 0            :147    holds: -8 USD < 0" in done.out
    assert "all 6 scenarios hold" in done.out
    assert "breaks  solvent given prompt, small_jumps" in done.out


def test_run_one_scenario_as_json(cli: Cli, bitmex: str):
    document = json.loads(cli("run", bitmex, "--scenario", "whipsaw", "--format", "json").out)
    valid(document, "run")
    (scenario,) = document["scenarios"]
    assert scenario["orders"] == 2 and scenario["every_order"] and scenario["holds"]


def test_a_failing_scenario_is_exit_code_1_with_its_values(cli: Cli, small: Path):
    small.write_text(SMALL.replace("hole = 20 USD", "hole = 21 USD"))
    done = cli("run", small)
    assert done.code == 1
    assert "FAILS  ruin" in done.out and "Venue.hole should be 21 USD, but is 20 USD" in done.out


def test_random_runs_count_what_happened(cli: Cli, bitmex: str):
    done = cli("run", bitmex, "--runs", "40", "--seed", "1")
    assert done.code == 0
    assert "40 random runs of up to 20 actions, 3 members, seed 1" in done.out
    assert "liquidate" in done.out and "never" in done.out
    document = json.loads(cli("run", bitmex, "--runs", "40", "--seed", "1", "--format", "json").out)
    valid(document, "run")
    assert document["random"]["runs"] == 40


def test_random_options_do_not_go_with_a_scenario(cli: Cli, bitmex: str):
    assert cli("run", bitmex, "--scenario", "whipsaw", "--seed", "1").code == 2


def test_a_rulebook_that_does_not_compile_is_exit_code_3(cli: Cli, small: Path):
    small.write_text("rulebook 5\n")
    done = cli("run", small)
    assert done.code == 3 and "error[SF" in done.err


# ---------------------------------------------------------------- trace


def test_trace_prints_the_counterexample(cli: Cli, bitmex: str):
    done = cli("trace", bitmex, "always_closed")
    assert done.code == 0 and "why   Venue.stuck should be 0, but is 8 XBT" in done.out


def test_trace_of_one_set_of_assumptions(cli: Cli, bitmex: str):
    assert "given prompt, small_jumps\n" in cli("trace", bitmex, "solvent", "--given", "small_jumps, prompt").out
    assert cli("trace", bitmex, "solvent", "--given", "nonsense").code == 2


def test_nothing_to_show_is_said_and_exit_code_4(cli: Cli, bitmex: str):
    done = cli("trace", bitmex, "matched")
    assert done.code == 4 and "nothing to show for `matched`: BOUNDED" in done.err


def test_an_unknown_claim_is_a_usage_error(cli: Cli, bitmex: str):
    assert "did you mean `matched`?" in cli("trace", bitmex, "matchd").err
    assert "it is a scenario" in cli("trace", bitmex, "whipsaw").err


def test_a_trace_in_json_reads_back_in(cli: Cli, bitmex: str, tmp_path: Path):
    file = tmp_path / "trace.json"
    assert cli("trace", bitmex, "solvent", "--format", "json", "--output", str(file)).code == 0
    valid(json.loads(file.read_text()), "trace")
    done = cli("run", bitmex, "--scenario", str(file))
    assert done.code == 0 and "REFUTED  solvent" in done.out
    document = json.loads(cli("run", bitmex, "--scenario", str(file), "--format", "json").out)
    valid(document, "run")
    assert document["replayed"]["steps"] == json.loads(file.read_text())["steps"]


def test_a_trace_that_no_longer_shows_its_goal_is_exit_code_1(cli: Cli, bitmex: str, tmp_path: Path):
    file = tmp_path / "trace.json"
    cli("trace", bitmex, "solvent", "--format", "json", "--output", str(file))
    document = json.loads(file.read_text())
    document["steps"] = [each for each in document["steps"] if each["name"] != "round"]
    file.write_text(json.dumps(document))
    done = cli("run", bitmex, "--scenario", str(file))
    assert done.code == 1 and "NOT REPLAYED" in done.out


NO_TRACES = ("{", "[]", "{}", '{"schema": "specforge/trace/1"}', '{"schema": "specforge/trace/1", "members": 3}')


@pytest.mark.parametrize("text", NO_TRACES)
def test_what_is_no_trace_is_a_usage_error(cli: Cli, bitmex: str, tmp_path: Path, text: str):
    file = tmp_path / "trace.json"
    file.write_text(text)
    done = cli("run", bitmex, "--scenario", str(file))
    assert done.code == 2 and "is not a trace of this rulebook" in done.err


def test_a_trace_as_a_scenario_runs_again(cli: Cli, bitmex: str, tmp_path: Path):
    file = tmp_path / "found.scenario"
    assert cli("trace", bitmex, "always_closed", "--format", "scenario", "--output", str(file)).code == 0
    done = cli("run", bitmex, "--scenario", str(file))
    assert done.code == 0, done.out + done.err
    assert "check  not (Venue.stuck = 0)" in done.out


def test_examples_are_where_the_tests_expect_them():
    assert len(list(EXAMPLES.glob("*.rulebook"))) == 13


def test_a_proved_claim_shows_what_its_proof_rests_on():
    command = ["trace", str(EXAMPLES / "05_small_venue.rulebook"), "matched", "--color", "never"]
    done = subprocess.run([sys.executable, "-m", "specforge.apps.cli", *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("PROVED  matched")
    assert "  (sum of t.position for t: Trader) + Venue.inventory = 0\n" in done.stdout


# ---------------------------------------------------------------- curves


def test_vary_prints_a_table_and_draws_a_curve(cli: Cli, bitmex: str, tmp_path: Path):
    target = tmp_path / "curve.svg"
    asked = ("run", bitmex, "--scenario", "late_check", "--vary", "mark_moves=80..90", "--points", "3")
    shown = cli(*asked)
    assert shown.code in (0, 2)
    done = cli(*asked, "--format", "svg", "--output", target)
    assert done.code == shown.code and (done.code != 0 or target.read_text().startswith("<svg"))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--vary", "mark_moves=1..2"), "needs a scenario"),
        (("--scenario", "late_check", "--vary", "mark_moves"), "is not of the form ACTION=FROM..TO"),
        (("--scenario", "late_check", "--vary", "mark_moves=2..1"), "the range has to rise"),
        (("--scenario", "late_check", "--vary", "fly=1..2"), "does not take the action `fly`"),
        (("--format", "svg"), "is for `--vary`"),
    ],
)
def test_mistakes_with_vary_are_said(cli: Cli, bitmex: str, options: tuple[str, ...], says: str):
    done = cli("run", bitmex, *options)
    assert done.code == 2 and says in done.err
