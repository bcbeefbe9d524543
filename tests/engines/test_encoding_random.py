"""Random little rulebooks with duties: every run of theirs, and every defect it meets, is in the formulas too."""

from __future__ import annotations

from typing import Any

from attrs import evolve
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from specforge.algebra.exact import ExactMachine, State
from specforge.core import ir
from specforge.core.machine import Choice, DefectFound, Firing, Members, Refused, settle
from specforge.evidence.goal import DefectGoal
from tests import strategies as draw_
from tests.engines.runs import Move, Pinned, Run, Undecided, in_order

SETTINGS = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate, Phase.shrink),
)
LONGEST = 6  # steps
GOALS = [DefectGoal(each) for each in ir.Defect]


@SETTINGS
@given(st.data())
def test_random_runs_are_runs_of_the_formulas(data: st.DataObject) -> None:
    members = data.draw(st.integers(1, 3))
    system = draw_.system_with(data.draw(draw_.blocks()), data.draw(draw_.duties()))
    system = evolve(system, duties={each.name: evolve(each, once=True) for each in system.duties.values()})
    run = Played(data, system, members)
    try:
        pinned = Pinned(system, run.as_run(), GOALS, {})
        assert pinned.can(pinned.unrolling.gone(len(pinned.run.moves)))
        if run.defect not in (None, ir.Defect.RESTS):
            pinned.unrolling.extend()
            pinned.grow()
            at = list(ir.Defect).index(run.defect)
            assert pinned.can(pinned.unrolling.bad(at, len(pinned.run.moves))), run.defect
    except Undecided:
        assume(False)


class Played:
    """Some actions with the settlings they start; and the defect at which it ended, if it did."""

    def __init__(self, data: st.DataObject, system: ir.System, members: int):
        self.data, self.system, self.members = data, system, members
        self.machine = ExactMachine(system, {"Trader": members})
        self.machine.begin(self.drawn_start())
        self.start, self.moves = self.machine.save(), list[Move]()
        self.defect: ir.Defect | None = None
        self.unfinished = False  # the last move is an action that met the defect itself
        try:
            self.settle(set())
            for _ in range(data.draw(st.integers(1, 2))):
                self.act()
        except DefectFound as found:
            self.defect = found.defect

    def drawn_start(self) -> State:
        drawn = self.data.draw(draw_.states(self.system, {"Trader": self.members}))
        fixed = (ir.Kind.NET, ir.Kind.HOUSE)
        return {cell: value for cell, value in drawn.items() if self.system.fields[cell[0]].kind not in fixed}

    def as_run(self) -> Run:
        run = in_order(self.system, Run(dict(self.machine.sizes), self.start, tuple(self.moves), ()))
        return evolve(run, moves=run.moves[:-1]) if self.unfinished else run

    def pick(self, choice: Choice) -> int:
        return self.data.draw(st.integers(0, len(choice.options) - 1))

    def settle(self, took: set[str]) -> None:
        def observe(duty: ir.Duty, members: Members, before: Any, firing: Firing) -> None:
            self.moves.append(Move(duty.name, True, members, self.machine.save()))

        settle(self.machine, took, self.pick, observe, LONGEST)

    def act(self) -> None:
        name = self.data.draw(st.sampled_from(["act", "act", "idle"]))
        args = self.data.draw(draw_.arguments(self.members)) if name == "act" else ()
        try:
            took = self.machine.act(name, args, self.pick)
        except Refused:
            return
        except DefectFound:
            self.moves.append(Move(name, False, args, self.machine.save()))
            self.unfinished = True
            raise
        self.moves.append(Move(name, False, args, self.machine.save()))
        self.settle({each for each, _ in took})
