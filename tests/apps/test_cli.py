"""The command line itself: what is understood, what is a mistake, and that nothing ever ends in a traceback."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from specforge.apps.cli import main
from tests.apps.conftest import Cli


def test_version_loads_no_solver():
    probe = "import sys; from specforge.apps.cli import main; main(['--version']); print({'z3', 'lark'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("specforge ") and done.stdout.endswith("set()\n")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["chek"], "did you mean `check`?"),
        (["fmt"], "belongs to a later version"),
        (["check", "--certify"], "`--certify` belongs to a later version"),
        (["check", "--new-since=HEAD"], "`--new-since` belongs to a later version"),
        (["check", "--format", "sarif"], "`sarif` belongs to a later version"),
        (["check", "--format", "pdf"], "`pdf` is not a format"),
        (["check", "--members", "0"], "whole number of at least 1"),
        (["check", "--budget", "-1"], "seconds above 0"),
        (["check", "--fail-on", "never"], "invalid choice"),
        (["check", "--no-such-option"], "--no-such-option"),
        (["check", "no/such/place"], "there is no file or directory `no/such/place`"),
        (["run"], "FILE"),
        (["run", "nowhere.rulebook"], "there is no file `nowhere.rulebook`"),
        (["schema", "trac"], "did you mean `trace`?"),
    ],
)
def test_a_mistake_on_the_command_line_is_one_sentence_and_exit_code_2(cli: Cli, arguments: list[str], says: str):
    done = cli(*arguments)
    assert done.code == 2
    assert says in done.err and "Traceback" not in done.err
    assert done.out == ""


def test_no_verb_prints_the_help(cli: Cli):
    done = cli()
    assert done.code == 2 and "exit codes:" in done.out


def test_help_is_no_error(cli: Cli):
    assert cli("check", "--help").code == 0


def test_names_after_only_and_off_are_checked(cli: Cli, bitmex: str):
    assert "did you mean `solvent`?" in cli("check", bitmex, "--only", "solvant").err
    done = cli("check", bitmex, "--off", "fundet")
    assert done.code == 2 and "did you mean `funded`?" in done.err


def test_without_rulebooks_here_it_says_so(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    assert "there is no directory `rulebooks/` here" in cli("check").err
    (tmp_path / "rulebooks").mkdir()
    done = cli("check")
    assert done.code == 2 and "no rulebooks under" in done.err


def test_an_internal_error_is_one_line_and_a_bundle(cli: Cli, pipeline, small: Path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def broken(*_: object) -> None:
        raise ZeroDivisionError("a bug of ours")

    monkeypatch.setattr(pipeline, "check", broken)
    done = cli("check", small.name)
    assert done.code == 70 and done.out == ""
    assert done.err.count("\n") == 1 and "Traceback" not in done.err
    bundle = json.loads((tmp_path / done.err.rsplit(maxsplit=1)[-1]).read_text())
    assert "a bug of ours" in bundle["error"] and bundle["files"]["small.rulebook"].startswith('rulebook "Small"')


def test_a_reader_that_leaves_early_is_no_error(bitmex: str):
    command = f"{sys.executable} -m specforge.apps.cli run {bitmex} | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("HOLDS") and done.stderr == ""


def test_a_file_that_cannot_be_written_is_a_usage_error(cli: Cli, bitmex: str, tmp_path: Path):
    done = cli("check", bitmex, "--output", str(tmp_path / "no" / "such" / "place"))
    assert done.code == 2 and "cannot write" in done.err


def test_closed_streams_lead_nowhere(bitmex: str, monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    assert main(["run", bitmex]) == 0
    assert main(["run", "nosuch"]) == 2
