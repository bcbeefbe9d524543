"""Plans made from a rulebook's own scenarios, so that reports are tried on real runs before any engine exists."""

from __future__ import annotations

from specforge.core import ir
from specforge.engines.scenarios import promised, run_scenario
from specforge.evidence.play import Event
from specforge.evidence.replay import replay
from specforge.evidence.trace import Plan, Trace


def plan_of(system: ir.System, scenario: ir.Scenario) -> Plan:
    """The first execution of a scenario, as an engine would suggest it."""
    record = run_scenario(system, scenario).record
    events = tuple(Event(step.name, step.args, step.picks) for step in record.steps if not step.duty)
    return Plan(record.sizes, record.start, events)


def traces_of(system: ir.System) -> list[Trace]:
    """Every refutation that a scenario of the rulebook is named for."""
    return [
        replay(system, plan_of(system, scenario), goal, dict(scenario.members))
        for scenario in system.scenarios.values()
        for goal in promised(system, scenario)
    ]


