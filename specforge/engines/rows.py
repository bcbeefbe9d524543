"""What the answer of an engine is worth: a goal's row in the verdict table, and how it stands to what is expected."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from attrs import evolve

from specforge.core import ir
from specforge.core.machine import Firing
from specforge.diagnostics.source import NOWHERE
from specforge.engines.free import Shown
from specforge.engines.refute import STEPS, Quest
from specforge.engines.scenarios import promised, run_scenario
from specforge.evidence.goal import ClaimGoal, Goal, ReachGoal
from specforge.evidence.phrases import one_line
from specforge.evidence.play import Event
from specforge.evidence.replay import NotReplayed, replay
from specforge.evidence.report import CheckOptions
from specforge.evidence.simplify import plain_start
from specforge.evidence.trace import Plan, Trace
from specforge.evidence.verdict import FREE_CHECKS, Result, Scope, Verdict
from specforge.records import define


@define(eq=False)
class Row:
    """One row to be decided: a claim under one set of assumptions, or a reach, and the search for it.  `few`: a proof for so
    many members, where there is none for any number by one step ("any": no party is open)."""

    quest: Quest
    expect: ir.Expect | None = None
    vacuous: bool | None = None
    few: tuple[int | Literal["any"], Shown] | None = None

    @property
    def sought(self) -> bool:
        """A run is to be found: a reach, or a claim that is expected to be refuted."""
        return isinstance(self.quest.goal, ReachGoal) or (self.expect is not None and self.expect.verdict == "refuted")


def rows_of(system: ir.System) -> list[Row]:
    """Every claim under each set of assumptions it has an expectation for, then the states to be reached."""
    rows: list[Row] = []
    for claim in system.claims.values():
        for expect in claim.expects or (None,):
            given = expect.given if expect is not None else ()
            sought = expect is not None and expect.verdict == "refuted"
            rows.append(Row(Quest(ClaimGoal(claim, given), hopeful=sought, excluding=sought), expect))
    rows += [Row(Quest(ReachGoal(reach))) for reach in system.reaches.values()]
    return rows


def least_members(system: ir.System) -> int:
    """The fewest members of an open party that a run can have: those the text names, and one."""
    named = max((len(party.named) for party in system.open_parties()), default=0)
    return max(1, named) if system.open_parties() else 0


def scope_of(quest: Quest) -> Scope:
    """How far every run was excluded, in the words of a verdict."""
    reached = quest.scope()
    if reached is None:
        return Scope(None, None, quest.limits)
    return Scope(reached[0], reached[1], quest.limits)


def row_of(system: ir.System, rulebook: str, row: Row, options: CheckOptions, late: bool = False) -> Result:
    """The row, with what its search is worth.  `late`: the time was over."""
    quest, goal = row.quest, row.quest.goal
    if isinstance(goal, ReachGoal):
        return _reach(system, rulebook, row, goal, options, late)
    assert isinstance(goal, ClaimGoal)
    claim, expect = goal.claim, row.expect
    about: dict[str, Any] = {
        "kind": "claim", "rulebook": rulebook, "name": claim.name, "text": claim.text, "cites": claim.cites, "span": claim.span,
        "given": tuple(each.text for each in goal.given), "expected": None if expect is None else expect.verdict,
        "vacuous": row.vacuous,
    }  # fmt: skip
    if quest.proof is not None:
        return judged(_proved(quest.proof, quest, about), expect)
    if quest.trace is not None:
        least = quest.shortest(least_members(system))
        scope = Scope(quest.trace.members if least is None else least, quest.trace.actions, quest.limits if least else ())
        result = Result(
            verdict=Verdict.REFUTED, scope=scope, trace=quest.trace, shortest=least is not None, engine=quest.engine,
            seconds=quest.seconds, **about,
        )  # fmt: skip
    elif row.few is not None:
        members, proof = row.few
        result = Result(
            verdict=Verdict.PROVED, scope=Scope(members, "any", proof.premises), lemmas=proof.lemmas, engine="k-induction",
            seconds=quest.seconds, **about,
        )  # fmt: skip
        if members != "any":
            result = evolve(result, reason=_only_for_few(quest), lead=quest.lead)
    else:
        result = evolve(_undecided(quest, about, options, late), lead=quest.lead)
    return judged(result, expect)


def _proved(proof: Shown, quest: Quest, about: dict[str, Any]) -> Result:
    return Result(
        verdict=Verdict.PROVED, scope=Scope("any", "any", proof.premises), lemmas=proof.lemmas, engine="induction",
        core=proof.core, reason=f"settling ends: {proof.why}" if proof.why else "", seconds=quest.seconds, **about,
    )  # fmt: skip


def _only_for_few(quest: Quest) -> str:
    """Why it is not proved for any number of members, with the sentence that stands in the way."""
    where = quest.lead.where if quest.lead is not None else NOWHERE
    at = f" in `{one_line(where)}` (line {where.line})" if where.text else ""
    return f"not proved for any number of members: {quest.obstacle or 'no time was left for it'}{at}"


def _undecided(quest: Quest, about: dict[str, Any], options: CheckOptions, late: bool) -> Result:
    scope = scope_of(quest)
    verdict = Verdict.BOUNDED
    enough = scope.steps is not None and scope.steps != "any" and scope.steps >= (options.steps or STEPS)
    if scope.members is not None and not quest.stuck and enough:
        reason = "no run of this size breaks it"
    elif scope.members is None:
        verdict = Verdict.UNKNOWN
        reason = "the search was not exhausted for any number of actions" + (" in the time given" if late else "")
    elif late:
        reason = "the time given ended here"
    else:
        reason = "beyond this the search was not exhausted"
    return Result(verdict=verdict, scope=scope, engine="bounded search", seconds=quest.seconds, reason=reason, **about)


def judged(result: Result, expect: ir.Expect | None) -> Result:
    """The row against what is expected of it."""
    everywhere = result.verdict is Verdict.PROVED and result.scope.members == "any"
    refuted = result.verdict is Verdict.REFUTED
    if expect is None or expect.verdict == "proved":
        return evolve(result, met=True if everywhere else False if refuted else None, contradicts=refuted)
    if expect.verdict == "refuted":
        return evolve(result, met=True if refuted else False if everywhere else None, contradicts=everywhere)
    decided = everywhere or refuted
    reason = result.reason if decided else expect.reason or result.reason
    return evolve(result, met=not decided, contradicts=decided, reason=reason)


def _reach(system: ir.System, rulebook: str, row: Row, goal: ReachGoal, options: CheckOptions, late: bool) -> Result:
    reach, quest = goal.reach, row.quest
    about: dict[str, Any] = {
        "kind": "reach", "rulebook": rulebook, "name": reach.name, "text": reach.text, "span": reach.span
    }  # fmt: skip
    if quest.trace is not None:
        scope = Scope(quest.trace.members, quest.trace.actions)
        shortest = quest.shortest(least_members(system)) is not None
        return Result(
            verdict=Verdict.PROVED, scope=scope, met=True, trace=quest.trace, shortest=shortest, engine=quest.engine,
            seconds=quest.seconds, **about,
        )  # fmt: skip
    if quest.proof is not None:
        return Result(
            verdict=Verdict.REFUTED, scope=Scope("any", "any", quest.proof.premises), met=False, engine="induction",
            lemmas=quest.proof.lemmas, seconds=quest.seconds, reason="it is proved that no run comes here", **about,
        )  # fmt: skip
    result = _undecided(quest, about, options, late)
    return evolve(result, verdict=Verdict.UNKNOWN, met=None, reason="no run was found that reaches it")


def missing(system: ir.System, rulebook: str, options: CheckOptions, known: Sequence[Result], reason: str) -> list[Result]:
    """The rows that never came: undecided, and said so, with the reason."""
    told = {(each.kind, each.name, each.given) for each in known}
    rows: list[Result] = []
    for row in rows_of(system):
        goal = row.quest.goal
        assert isinstance(goal, ClaimGoal | ReachGoal)
        kind = "reach" if isinstance(goal, ReachGoal) else "claim"
        given = tuple(each.text for each in goal.given)
        subject = goal.reach if isinstance(goal, ReachGoal) else goal.claim
        if (kind, goal.name, given) not in told and (not options.only or goal.name in options.only):
            about = Result(
                kind, rulebook, goal.name, Verdict.UNKNOWN, text=subject.text, span=subject.span, given=given,
                expected=row.expect.verdict if row.expect else None, reason=reason,
            )  # fmt: skip
            rows.append(judged(about, row.expect) if kind == "claim" else about)
    for scenario in system.scenarios.values():
        if ("scenario", scenario.name, ()) not in told and (not options.only or scenario.name in options.only):
            rows.append(Result("scenario", rulebook, scenario.name, Verdict.UNKNOWN, reason=reason, span=scenario.span))
    for name in FREE_CHECKS:
        if name not in options.off and ("free", name, ()) not in told and (not options.only or name in options.only):
            rows.append(Result("free", rulebook, name, Verdict.UNKNOWN, reason=reason, span=system.span))
    return rows


# ---------------------------------------------------------------- what the rulebook itself shows


def scenario_run(system: ir.System, row: Row) -> Trace | None:
    """The run of the scenario that is named to refute the claim, replayed; None if there is none, or it does not."""
    expect, goal = row.expect, row.quest.goal
    if expect is None or expect.by is None or expect.by not in system.scenarios:
        return None
    scenario = system.scenarios[expect.by]
    if goal not in promised(system, scenario):
        return None
    try:
        trace = replay(system, _plan_of(system, scenario, goal), goal, dict(scenario.members))
    except NotReplayed:
        return None
    return plain_start(system, trace, goal)


def scenario_plans(system: ir.System) -> list[tuple[ir.Scenario, Plan]]:
    """Every scenario as one run, in the first of the orders that it leaves open."""
    return [(each, _plan_of(system, each, None)) for each in system.scenarios.values()]


def shown_by(system: ir.System, goal: Goal, plans: Sequence[tuple[ir.Scenario, Plan]]) -> tuple[Trace, str] | None:
    """The first scenario whose run shows the goal."""
    for scenario, plan in plans:
        try:
            return replay(system, plan, goal, dict(scenario.members)), f"scenario {scenario.name}"
        except NotReplayed:
            continue
    return None


def _plan_of(system: ir.System, scenario: ir.Scenario, goal: Goal | None) -> Plan:
    """The scenario as it was executed, to be replayed."""
    record = run_scenario(system, scenario, goal).record
    events: list[Event] = []
    firings: list[list[Firing]] = [[]]
    for step in record.steps:
        if step.duty:
            firings[-1].append(Firing(step.name, step.args, step.picks))
        else:
            events.append(Event(step.name, step.args, step.picks))
            firings.append([])
    return Plan(record.sizes, record.start, tuple(events), tuple(tuple(each) for each in firings))
