"""What is looked for in a run: a claim broken under what is given, a state reached, or a defect."""

from __future__ import annotations

from specforge.core import ir
from specforge.records import frozen


@frozen(cache_hash=True)
class ClaimGoal:
    """Break `claim` in a run in which every `given` has held."""

    claim: ir.Claim
    given: tuple[ir.Given, ...] = ()

    @property
    def name(self) -> str:
        return self.claim.name


@frozen
class ReachGoal:
    """Come to rest in a state where `reach` holds (the start included)."""

    reach: ir.Reach

    @property
    def name(self) -> str:
        return self.reach.name

    @property
    def given(self) -> tuple[ir.Given, ...]:
        return ()


@frozen
class DefectGoal:
    """Meet the defect `defect`, anywhere (a free check)."""

    defect: ir.Defect

    @property
    def name(self) -> str:
        return self.defect.value

    @property
    def given(self) -> tuple[ir.Given, ...]:
        return ()


@frozen
class RuleGoal:
    """See the rule happen: the action accepted, or the duty acting (a free check: a rule that cannot is a dead sentence)."""

    rule: str

    @property
    def name(self) -> str:
        return self.rule

    @property
    def given(self) -> tuple[ir.Given, ...]:
        return ()


Goal = ClaimGoal | ReachGoal | DefectGoal | RuleGoal


def state_assumptions(system: ir.System, goal: Goal) -> list[ir.Expr]:
    """The conditions on states (and on parameters) under which a run counts."""
    conditions: list[ir.Expr] = []
    for each in goal.given:
        if each.cond is not None:
            conditions.append(each.cond)
        elif each.assumption is not None and system.assumptions[each.assumption].action is None:
            conditions.append(system.assumptions[each.assumption].cond)
    return conditions


def action_assumptions(system: ir.System, goal: Goal) -> dict[str, list[ir.Assumption]]:
    """The assumptions on the arguments and the moment of actions, by action."""
    result: dict[str, list[ir.Assumption]] = {}
    for each in goal.given:
        if each.assumption is not None:
            assumption = system.assumptions[each.assumption]
            if assumption.action is not None:
                result.setdefault(assumption.action, []).append(assumption)
    return result
