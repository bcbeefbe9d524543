"""What a picture shows, as exact figures: a run over time, who paid what in one step, a quantity against a move."""

from __future__ import annotations

import re
from collections.abc import Sequence

from attrs import evolve
from quicktions import Fraction

from specforge.algebra.exact import Cell, ExactMachine, State
from specforge.core import ir
from specforge.core.machine import DefectFound
from specforge.engines.scenarios import run_scenario
from specforge.evidence.phrases import one_line
from specforge.evidence.record_text import Record
from specforge.evidence.trace import Step, Trace
from specforge.evidence.words import Words, number
from specforge.records import frozen

MOST_LINES = 8  # in one panel: as many as can be told apart in print


@frozen
class Line:
    """`values`: one for every mark on the axis below; None where there is none."""

    name: str
    values: tuple[Fraction | None, ...]


@frozen
class Panel:
    """Lines of one unit, one above the other.  `left_out`: lines that found no room."""

    unit: str
    lines: tuple[Line, ...]
    left_out: tuple[str, ...] = ()


@frozen
class OverTime:
    """`steps`: the start and every step, as they are labelled."""

    title: str
    steps: tuple[str, ...]
    panels: tuple[Panel, ...]


@frozen
class Payments:
    """What each account gained or lost in one step; together they add up to what crossed the border."""

    title: str
    unit: str
    bars: tuple[tuple[str, Fraction], ...]


@frozen
class Curve:
    """Lines against `places`, the values that `varied` takes: those of one unit are drawn, `all` are in the table."""

    title: str
    varied: str
    unit: str
    places: tuple[Fraction, ...]
    panel: Panel
    all: tuple[Line, ...]


Picture = OverTime | Payments | Curve


# ------------------------------------------------------------ a run


def over_time(system: ir.System, trace: Trace, title: str) -> OverTime:
    """Every number that changes in the run, a panel for each unit."""
    words = Words(system, trace.names)
    changed: dict[Cell, int] = {}
    for step in trace.steps:
        for change in step.changes:
            field = system.fields[change.cell[0]]
            if isinstance(field.type, ir.Number) and field.kind is not ir.Kind.HOUSE:
                changed[change.cell] = changed.get(change.cell, 0) + 1
    states = _states(trace.start, trace.steps)
    units: dict[str, list[Cell]] = {}
    for cell in sorted(changed, key=lambda each: list(trace.start).index(each)):
        type = system.fields[cell[0]].type
        assert isinstance(type, ir.Number)
        units.setdefault(type.text().removeprefix("1 ") or "number", []).append(cell)
    panels: list[Panel] = []
    for unit, cells in units.items():
        kept = sorted(cells, key=lambda each: -changed[each])[:MOST_LINES]
        lines = tuple(Line(words.place(cell), tuple(state[cell] for state in states)) for cell in cells if cell in kept)
        panels.append(Panel(unit, lines, tuple(words.place(cell) for cell in cells if cell not in kept)))
    steps = ("start", *(f"{step.number} {words.call(step.name, step.args)}" for step in trace.steps))
    return OverTime(title, steps, tuple(panels))


def payments(system: ir.System, trace: Trace) -> list[Payments]:
    """Of every step in which a `collect` takes place, a picture for each asset that moves in it."""
    return [each for step in trace.steps if _collects(system, step) for each in payments_of(system, trace.names, step)]


def payments_of(system: ir.System, names: dict[str, tuple[str, ...]], step: Step) -> list[Payments]:
    words = Words(system, names)
    by_asset: dict[str, list[tuple[str, Fraction]]] = {}
    for change in step.changes:
        field = system.fields[change.cell[0]]
        if field.kind in (ir.Kind.BALANCE, ir.Kind.NET) and isinstance(field.type, ir.Number):
            by_asset.setdefault(field.type.text(), []).append((words.place(change.cell), change.after - change.before))
    title = f"{step.number} {words.call(step.name, step.args)}"
    return [
        Payments(title, unit, tuple(sorted(bars, key=lambda each: each[1]))) for unit, bars in by_asset.items() if len(bars) > 1
    ]


def _collects(system: ir.System, step: Step) -> bool:
    rule = (system.duties if step.duty else system.actions)[step.name]
    return any(isinstance(node, ir.Collect) for node in ir.walk(rule.body))


def _states(start: State, steps: Sequence[Step]) -> list[State]:
    states = [dict(start)]
    for step in steps:
        states.append({**states[-1], **{change.cell: change.after for change in step.changes}})
    return states


# ------------------------------------------------------------ a quantity against a move


class CannotVary(Exception):
    """The scenario has nothing of that kind to vary; says what it has."""


def curve(system: ir.System, scenario: ir.Scenario, action: str, low: Fraction, high: Fraction, points: int) -> Curve:
    """The scenario executed again and again, with another number in its line that takes `action`; what its later `check` lines
    speak of is worked out each time.  Raises CannotVary."""
    acts = [line for line in scenario.lines if isinstance(line, ir.Act)]
    turn = next((at for at, line in enumerate(acts) if line.action == action), None)
    if turn is None:
        there = ", ".join(dict.fromkeys(f"`{each.action}`" for each in acts))
        raise CannotVary(f"the scenario `{scenario.name}` does not take the action `{action}`; it takes {there or 'none'}")
    params = system.actions[action].params
    position = next((at for at, each in enumerate(params) if isinstance(each.type, ir.Number)), None)
    if position is None:
        raise CannotVary(f"the action `{action}` has no number to vary")
    asked = _quantities(scenario, turn)
    if not asked:
        raise CannotVary(f"the scenario `{scenario.name}` checks nothing after `{action}`: its `check` lines say what to draw")
    places = tuple(low + (high - low) * at / (points - 1) for at in range(points))
    columns = [_values(system, scenario, acts[turn], position, place, asked) for place in places]
    lines = [(Line(name, tuple(column[at] for column in columns)), unit) for at, (name, _, _, unit) in enumerate(asked)]
    unit = next((unit for _, unit in lines if unit), "")
    drawn = [line for line, of in lines if of == unit][:MOST_LINES]
    panel = Panel(unit, tuple(drawn), tuple(line.name for line, _ in lines if line not in drawn))
    type = params[position].type
    assert isinstance(type, ir.Number)
    varied = f"{action}: {params[position].name}"
    return Curve(
        scenario.text or scenario.name, varied, type.text().removeprefix("1 "), places, panel, tuple(line for line, _ in lines)
    )


Asked = tuple[str, ir.Expr, int, str]  # what it is called, the quantity, after how many actions, its unit if the text says


def _quantities(scenario: ir.Scenario, turn: int) -> list[Asked]:
    """What the `check` lines after that action speak of: the left side of each comparison."""
    found: list[Asked] = []
    actions = 0
    rest = [*scenario.lines]
    for at, line in enumerate(rest):
        actions += isinstance(line, ir.Act)
        if isinstance(line, ir.Check) and actions > turn:
            following = next((each for each in rest[at:] if isinstance(each, ir.Act)), None)
            before = f" before {following.action}" if following is not None else ""
            for said, left, unit in _compared(line):
                found.append((said + before, left, actions, unit))
    return list({(each[0], each[2]): each for each in found}.values())


def _compared(check: ir.Check) -> list[tuple[str, ir.Expr, str]]:
    """Of `check profit(bob) = 80 USD and …`: `profit(bob)`, what it is, and its unit where the text says one."""
    conds = check.cond.args if isinstance(check.cond, ir.Op) and check.cond.op is ir.Operator.AND else (check.cond,)
    texts = re.split(r"\band\b", one_line(check.span).removeprefix("check "))
    if len(texts) != len(conds):
        return []
    found: list[tuple[str, ir.Expr, str]] = []
    for text, cond in zip(texts, conds, strict=True):
        sides = text.split(" = ")
        if isinstance(cond, ir.Op) and cond.op is ir.Operator.EQ and len(sides) == 2:
            unit = re.fullmatch(r"-?[\d_.]+ ([A-Za-z]\w*(?: per [A-Za-z]\w*)*)", sides[1].strip())
            found.append((sides[0].strip(), cond.args[0], unit[1] if unit else ""))
    return found


def _values(
    system: ir.System, scenario: ir.Scenario, act: ir.Act, position: int, value: Fraction, asked: Sequence[Asked]
) -> list[Fraction | None]:
    args = (*act.args[:position], ir.Lit(value), *act.args[position + 1 :])
    lines = tuple(evolve(line, args=args) if line is act else line for line in scenario.lines if not isinstance(line, ir.Check))
    outcome = run_scenario(system, evolve(scenario, lines=lines))
    return [_value(system, outcome.record, expr, actions) if outcome.holds else None for _, expr, actions, _ in asked]


def _value(system: ir.System, record: Record, expr: ir.Expr, actions: int) -> Fraction | None:
    taken = [step for step in record.steps if int(step.number.split(".")[0]) <= actions]
    machine = ExactMachine(system, record.sizes)
    machine.restore(_states(record.start, taken)[-1])
    try:
        value = machine.evaluate(expr)
    except DefectFound:
        return None
    return value if isinstance(value, Fraction) else None


def table_of(picture: Picture) -> tuple[list[str], list[list[str]]]:
    """The figures of a picture, exactly: the heads and the rows of a table."""
    match picture:
        case OverTime(_, steps, panels):
            lines = [(line, panel.unit) for panel in panels for line in panel.lines]
            heads = ["step", *(f"{line.name} ({unit})" for line, unit in lines)]
            return heads, [[step, *(_figure(line.values[at]) for line, _ in lines)] for at, step in enumerate(steps)]
        case Payments(_, unit, bars):
            return ["account", f"change ({unit})"], [[name, _figure(value)] for name, value in bars]
        case Curve(_, varied, unit, places, _, lines):
            heads = [f"{varied} ({unit})" if unit else varied, *(line.name for line in lines)]
            return heads, [[number(place), *(_figure(line.values[at]) for line in lines)] for at, place in enumerate(places)]


def _figure(value: Fraction | None) -> str:
    return "" if value is None else number(Fraction(value))
