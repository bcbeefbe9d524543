"""Each finding names a command, and the command names something that is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from specforge.elaborate import load
from specforge.engines.scenarios import scenario_outcome

ROOT = Path(__file__).parents[2]
COMMANDS = re.findall(r"^\$ specforge (.+)$", (ROOT / "docs" / "findings.md").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_command_shows_what_is_told(command: str):
    verb, file, *rest = command.split()
    system, _ = load(str(ROOT / file))
    assert system is not None
    if verb == "run":
        option, name = rest
        assert option == "--scenario" and scenario_outcome(system, system.scenarios[name]).holds
    elif verb == "trace":
        assert any(each.verdict == "refuted" for each in system.claims[rest[0]].expects)
    else:
        assert verb == "check" and rest and set(rest[::2]) == {"--only"}
        assert all(system.claims[name].expects for name in rest[1::2])


def test_every_finding_has_a_command():
    text = (ROOT / "docs" / "findings.md").read_text(encoding="utf-8")
    told = re.split(r"^### ", text, flags=re.MULTILINE)[1:]
    assert told and all("```console" in each for each in told)
