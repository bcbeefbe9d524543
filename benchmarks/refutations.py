"""Every claim of the examples that is expected to be refuted, and every state to be reached, found by search alone.

A row: what is looked for, how many actions the named scenario has (none: nobody named one), how many the run has that was
found, by which engine, and the seconds of one core that took, random runs included.  The scenario is a bound only: nothing
longer is looked for.  Bar: no longer than the scenario, and at most 30 s.

    python benchmarks/refutations.py [FILE…]
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import time
from pathlib import Path

from measure import HERE, RESULTS

from specforge.algebra.solver import SECOND, work_done
from specforge.elaborate import load
from specforge.engines.deadline import Clock
from specforge.engines.refute import Effort, Refuter
from specforge.engines.rows import rows_of, scenario_plans, scenario_run, shown_by

BAR = 30.0
TURNS = tuple(each * SECOND for each in (2, 6, 18, 54))
HEADS = ("rulebook", "looked for", "scenario", "found", "by", "seconds", "work", "")


def found(path: str, at: int) -> dict[str, object]:
    """The row of one goal, looked for in this process."""
    system, _ = load(path)
    assert system is not None
    row = rows_of(system)[at]
    quest = row.quest
    quest.known = scenario_run(system, row)
    if row.expect is None and (shown := shown_by(system, quest.goal, scenario_plans(system))) is not None:
        quest.known = shown[0]
    began, worked = time.process_time(), work_done()
    refuter = Refuter(system, [quest], Clock(math.inf), effort=Effort(hunt=TURNS, backed=TURNS))
    refuter.look()
    return {
        "scenario": quest.known.actions if quest.known is not None else None,
        "found": quest.trace.actions if quest.trace is not None else None,
        "by": quest.engine,
        "seconds": time.process_time() - began,
        "work": (work_done() - worked) / 1e6,
    }


def main(paths: list[Path]) -> int:
    rows: list[dict[str, object]] = []
    for path in paths:
        system, diagnostics = load(str(path))
        assert system is not None, diagnostics[:3]
        for at, row in enumerate(rows_of(system)):
            if not row.sought:
                continue
            given = ", ".join(each.text for each in row.quest.goal.given)
            name = ("reach " if row.expect is None else "") + row.quest.goal.name + (f" given {given}" if given else "")
            command = [sys.executable, __file__, "--one", str(path), str(at)]
            done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONHASHSEED": "0"})
            said = json.loads(done.stdout) if done.returncode == 0 else {"by": done.stderr[-200:]}
            rows.append({"rulebook": path.stem, "looked for": name, **said})
            print(line(rows[-1]), flush=True)
    missed = [each for each in rows if not kept(each)]
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "refutations.json").write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    print(f"{len(rows) - len(missed)} of {len(rows)} found, no longer than the scenario and within {BAR:.0f} s each")
    return 1 if missed else 0


def kept(row: dict[str, object]) -> bool:
    steps, scenario, seconds = row.get("found"), row.get("scenario"), row.get("seconds")
    if not isinstance(steps, int) or not isinstance(seconds, float):
        return False
    return seconds <= BAR and (not isinstance(scenario, int) or steps <= scenario)


def line(row: dict[str, object]) -> str:
    def cell(name: str) -> str:
        value = row.get(name)
        return "-" if value is None else f"{value:.1f}" if isinstance(value, float) else str(value)

    cells = [cell(each) for each in HEADS[:-1]]
    return "| " + " | ".join([*cells, "" if kept(row) else "MISSED"]) + " |"


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(found(sys.argv[2], int(sys.argv[3]))))
    else:
        print("| " + " | ".join(HEADS) + " |\n|" + " --- |" * len(HEADS), flush=True)
        sys.exit(main([Path(each) for each in sys.argv[1:]] or sorted((HERE.parent / "tests" / "venues").glob("*.rulebook"))))
