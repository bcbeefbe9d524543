"""How many steps a second random runs make on the yardstick's mini exchange (a step: an event tried, its claims checked),
beside the same model in plain Python and under Hypothesis.

python benchmarks/simulate.py [seconds per row]
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from statistics import median

from measure import Row, process, python, show

from specforge.core import ir
from specforge.elaborate import load
from specforge.engines.simulate import explore
from specforge.evidence.goal import ClaimGoal
from specforge.evidence.replay import replay

HERE = Path(__file__).parent


def system(name: str) -> ir.System:
    loaded, _ = load(str(HERE / name))
    assert loaded is not None
    return loaded


def main(seconds: float) -> None:
    holds, breaks = system("m1.rulebook"), system("m1x.rulebook")
    goals = [ClaimGoal(claim) for claim in holds.claims.values()]
    rows: list[Row] = []
    for members in (2, 3, 6, 12):
        began = time.process_time()
        done = explore(holds, goals, members, steps=20, seconds=seconds)
        spent = time.process_time() - began
        assert not done.plans
        share, speed = done.accepted / done.steps, done.steps / spent
        plain = process(python("peers/m1_python.py", "walk", members, seconds)).said["rate"]
        drawn = process(python("peers/m1_python.py", "hypothesis", members, 4000)).said["rate"]
        work = f"M1, n = {members}, a million steps"
        # 200,000 steps a second where plain Python makes a million; in proportion on a slower or busier machine
        promised = ("5 x (200,000/s)", 5 * speed >= plain) if members == 3 else ("", None)
        note = f"{speed:,.0f} steps/s ({share:.0%} accepted) beside {plain:,.0f} and {drawn:,.0f}"
        rows.append(Row(work, 1e6 / speed, "plain Python, most events refused", 1e6 / plain, *promised))
        quicker = speed >= 30 * drawn
        rows.append(Row(work, 1e6 / speed, "Hypothesis, rules unguarded", 1e6 / drawn, "30 x quicker", quicker, note))
    show("simulate", "Random runs with every claim checked", rows)
    print("\nm1x: members, seconds until a run breaks the fund (median and worst of 9 seeds, generating the code included)")
    goal = ClaimGoal(breaks.claims["fund_holds"])
    for members in (2, 3, 4, 6, 8, 12):
        times: list[float] = []
        for seed in range(9):
            started = time.process_time()
            found = explore(breaks, [goal], members, steps=20, seed=seed, seconds=30)
            replay(breaks, found.plans[0], goal)
            times.append(time.process_time() - started)
        print(f"{members:7}  {median(times):.3f}  {max(times):.3f}")


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 2.0)
