"""Where a run starts: the part of its first state that the rulebook's text does not already say."""

from __future__ import annotations

import contextlib

from specforge.algebra.exact import Cell, ExactMachine, State
from specforge.core import ir
from specforge.core.machine import DefectFound
from specforge.evidence.trace import Trace


def declared_start(system: ir.System, sizes: dict[str, int], fixed: State) -> State:
    """The start with only `fixed` said; where that breaks a bound, it is still the start to compare with."""
    machine = ExactMachine(system, sizes)
    with contextlib.suppress(DefectFound):
        machine.begin(fixed)
    return machine.save()


def differs_from_text(system: ir.System, sizes: dict[str, int], start: State) -> list[Cell]:
    """The cells that must be said to get this start: parameters first, then members' fields, in the text's order."""
    plain = declared_start(system, sizes, {})
    parameters = {
        cell: start[cell]
        for cell in start
        if system.fields[cell[0]].kind is ir.Kind.PARAMETER and start[cell] != plain.get(cell)
    }
    free = {cell: start[cell] for cell in start if _is_free(system.fields[cell[0]])}
    with_parameters = declared_start(system, sizes, parameters)
    with_all_that_is_free = declared_start(system, sizes, parameters | free)  # the text works out the others
    others = [
        cell
        for cell in start
        if system.fields[cell[0]].kind not in (ir.Kind.PARAMETER, ir.Kind.HOUSE)
        and start[cell] != (with_parameters if cell in free else with_all_that_is_free).get(cell)
    ]
    return [*parameters, *others]


def _is_free(field: ir.Field) -> bool:
    """The text leaves open where it starts."""
    return field.start is None and field.kind not in (ir.Kind.PARAMETER, ir.Kind.HOUSE)


def start_worth_showing(system: ir.System, trace: Trace) -> list[Cell]:
    """The cells of the start that a reader must know: what the engine chose, and parameters without a value of their own."""
    if trace.fixed:
        return list(trace.fixed)
    differing = differs_from_text(system, trace.plan.sizes, trace.start)
    unsaid = [
        (field.name, 0, 0)
        for field in system.parameters()
        if field.start is None and (field.name, 0, 0) not in differing and (field.name, 0, 0) in trace.start
    ]
    return [*unsaid, *differing]
