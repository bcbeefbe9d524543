"""Z3 terms mean what exact fractions mean: on known values, every expression and every statement comes out alike."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from specforge.algebra.exact import ExactMachine
from specforge.algebra.symbolic import conj, negate
from specforge.core import ir
from specforge.core.machine import DefectFound, Picker
from tests import strategies as draw_
from tests.laws.symbolic import MODES, Mode, Outcome, Symbolic, every_way, exact_outcome

SETTINGS = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate, Phase.shrink),
)


@pytest.mark.parametrize("mode", MODES)
@SETTINGS
@given(st.data())
def test_expressions_have_the_same_value(mode: Mode, data: st.DataObject) -> None:
    system, members = draw_.system_with(), data.draw(st.integers(1, 3))
    wanted = data.draw(st.sampled_from([draw_.NUMBER, draw_.FLAG]))
    expr = data.draw(draw_.expressions(wanted, draw_.Features(old=True)))
    now, before = (data.draw(draw_.states(system, {"Trader": members})) for _ in range(2))
    args = data.draw(draw_.arguments(members))
    exact = ExactMachine(system, {"Trader": members})
    exact.restore(now)
    symbolic = Symbolic(mode, system, {"Trader": members}, now)
    symbolic.evaluator.old = symbolic.formal.state(system, before, symbolic.sizes)
    kinds = zip(draw_.ARGUMENTS, args, strict=True)
    env = {p.name: symbolic.formal.value(arg, p.type, symbolic.sizes) for p, arg in kinds}
    value = symbolic.evaluator.value(expr, env)
    broken = [each for each in symbolic.algebra.demands if symbolic.formal.ground(each.broken) is True]
    defined = [symbolic.formal.ground(each) for each in symbolic.algebra.conditions]
    try:
        expected = exact.evaluate(expr, dict(zip(draw_.SCOPE, args, strict=True)), before)
    except DefectFound as found:
        assert False in defined
        assert (broken[0].defect, broken[0].span) == (found.defect, found.span)
        return
    assert not broken and all(each is True for each in defined)
    assert symbolic.formal.ground(value) == expected


def outcomes(system: ir.System, sizes: dict[str, int], state: dict[Any, Any], args: tuple[Any, ...]) -> list[Outcome]:
    exact = ExactMachine(system, sizes)

    def run(pick: Picker) -> Outcome:
        exact.restore(state)
        return exact_outcome(exact, lambda: exact.act("act", args, pick))

    return list({repr(each): each for each in every_way(run)}.values())


def agree(mode: Mode, system: ir.System, sizes: dict[str, int], state: dict[Any, Any], args: tuple[Any, ...]) -> bool:
    """Whether it could be judged that the formulas describe exactly what the interpreter does, in all orders together."""
    symbolic = Symbolic(mode, system, sizes, state)
    symbolic.execute(system.actions["act"].body, draw_.ARGUMENTS, args)
    ways = [symbolic.ended(each) for each in outcomes(system, sizes, state, args)]
    answers = [symbolic.can(each) for each in ways]
    assert False not in answers, "the formulas exclude what the interpreter does"
    other = symbolic.can(conj(negate(each) for each in ways))
    assert other is not True, "the formulas allow what the interpreter never does"
    return None not in answers and other is False


@pytest.mark.parametrize("mode", MODES)
@SETTINGS
@given(st.data())
def test_blocks_end_alike(mode: Mode, data: st.DataObject) -> None:
    members = data.draw(st.integers(1, 3))
    system = draw_.system_with(data.draw(draw_.blocks()))
    state = data.draw(draw_.states(system, {"Trader": members}))
    agree(mode, system, {"Trader": members}, state, data.draw(draw_.arguments(members)))


@pytest.mark.parametrize("policy", ir.Policy)
@SETTINGS
@given(st.data())
def test_what_is_collected_is_shared_alike(policy: ir.Policy, data: st.DataObject) -> None:
    members = data.draw(st.integers(2, 3))
    drawer = draw_.Drawer(data.draw, draw_.Features(policies=(policy,)))
    system = draw_.system_with((drawer.collect(draw_.SCOPE, 2),))
    state = data.draw(draw_.states(system, {"Trader": members}))
    mode = data.draw(st.sampled_from(MODES))
    agree(mode, system, {"Trader": members}, state, data.draw(draw_.arguments(members)))
