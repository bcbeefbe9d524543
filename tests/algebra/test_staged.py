"""The generated Python does what the exact interpreter does, to the last digit, refusal and defect."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from specforge.algebra.exact import ExactMachine
from specforge.algebra.staged import StagedMachine
from specforge.core import ir
from specforge.core.machine import Choice, DefectFound, Machine, Picker, Refused, settle
from tests import strategies as draw_

SETTINGS = settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))


def scripted(numbers: list[int], seen: list[Choice]) -> Picker:
    """Picks by the given numbers, in turn, and writes down what was asked."""

    def pick(choice: Choice) -> int:
        seen.append(choice)
        return numbers[len(seen) % len(numbers)] % len(choice.options)

    return pick


def outcome(machine: Machine, run: Any) -> tuple[Any, ...]:
    try:
        return "done", run()
    except Refused as refusal:
        return "refused", refusal.span
    except DefectFound as found:
        return "defect", found.defect, found.span


def both(system: ir.System, sizes: dict[str, int], state: dict[Any, Any]) -> tuple[ExactMachine, StagedMachine]:
    exact, staged = ExactMachine(system, sizes), StagedMachine(system, sizes)
    exact.restore(state)
    staged.load(state)
    return exact, staged


@SETTINGS
@given(st.data())
def test_expressions_have_the_same_value(data: st.DataObject) -> None:
    system, members = draw_.system_with(), data.draw(st.integers(1, 3))
    sizes = {"Trader": members}
    wanted = data.draw(st.sampled_from([draw_.NUMBER, draw_.FLAG]))
    expr = data.draw(draw_.expressions(wanted, draw_.Features(old=True)))
    now, before = (data.draw(draw_.states(system, sizes)) for _ in range(2))
    exact, staged = both(system, sizes, now)
    older = both(system, sizes, before)[1].save()
    env = dict(zip(draw_.SCOPE, data.draw(draw_.arguments(members)), strict=True))
    assert outcome(staged, lambda: staged.evaluate(expr, env, older)) == outcome(
        exact, lambda: exact.evaluate(expr, env, before)
    )


@SETTINGS
@given(st.data())
def test_actions_do_the_same(data: st.DataObject) -> None:
    members = data.draw(st.integers(1, 3))
    sizes = {"Trader": members}
    system = draw_.system_with(data.draw(draw_.blocks()))
    exact, staged = both(system, sizes, data.draw(draw_.states(system, sizes)))
    before = exact.save()
    picks = data.draw(st.lists(st.integers(0, 5), min_size=1, max_size=4))
    for _ in range(2):
        args = data.draw(draw_.arguments(members))
        asked: tuple[list[Choice], list[Choice]] = ([], [])
        heard: tuple[list[Any], list[Any]] = ([], [])
        exact.on_took, staged.on_took = (lambda *took, h=h: h.append(took) for h in heard)
        first = outcome(exact, lambda a=args, p=asked[0]: exact.act("act", a, scripted(picks, p)))
        second = outcome(staged, lambda a=args, p=asked[1]: staged.act("act", a, scripted(picks, p)))
        assert first == second
        assert asked[0] == asked[1] and heard[0] == heard[1]
        if first[0] == "defect":
            return
        assert exact.save() == staged.exact()
        assert first[0] == "done" or exact.save() == before
        assert {name for name, count in staged.fired.items() if count} >= exact.algebra.fired
        before = exact.save()


@SETTINGS
@given(st.data())
def test_duties_settle_alike(data: st.DataObject) -> None:
    members = data.draw(st.integers(1, 3))
    sizes = {"Trader": members}
    system = draw_.system_with((), data.draw(draw_.duties()))
    exact, staged = both(system, sizes, data.draw(draw_.states(system, sizes)))
    picks = data.draw(st.lists(st.integers(0, 5), min_size=1, max_size=4))
    asked: tuple[list[Choice], list[Choice]] = ([], [])
    first = outcome(exact, lambda: settle(exact, {"act"}, scripted(picks, asked[0]), limit=12))
    second = outcome(staged, lambda: settle(staged, {"act"}, scripted(picks, asked[1]), limit=12))
    assert first == second and asked[0] == asked[1]
    assert first[0] == "defect" or exact.save() == staged.exact()


def test_text_of_the_rulebook_never_reaches_the_generated_source() -> None:
    evil = '__import__("os").system("false")'
    share = ir.Tier(evil, None, ir.YES, ir.ONE, ir.Policy.ANY, None, None, evil, (), evil)
    body = (ir.Bind(evil, ir.Op(ir.Operator.ADD, (ir.Var("n"), ir.ONE))), ir.Collect(ir.Var(evil), (share,), evil, ()))
    machine = StagedMachine(draw_.system_with((*body, ir.Took(evil, (ir.Var("n"),)))), {"Trader": 1})
    machine.action("act")
    assert not any("import" in source for source in machine.sources.values())


def test_whole_numbers_stay_whole() -> None:
    """0.5% of a balance is compared without leaving the integers."""
    expr = ir.Op(ir.Operator.LE, (ir.Op(ir.Operator.MUL, (draw_.number("1/200"), ir.Var("n"))), ir.Var("n")))
    machine = StagedMachine(draw_.system_with(), {"Trader": 1})
    assert machine.evaluate(expr, {"n": 7}) is True
    assert any("a0 <= 200 * a0" in source for source in machine.sources.values())
