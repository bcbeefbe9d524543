"""The checks that every rulebook gets without asking: what must never happen, and what must be able to happen.

Most are looked for by the same search as claims (as goals, `free_goals`); tables and counters are judged from the text alone.
`free_rows` turns what was found and excluded into one row per check.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal, Protocol, TypeVar

from attrs import evolve, field

from specforge.core import ir
from specforge.core.evaluate import bounded_by
from specforge.engines.counters import unfed_claims
from specforge.engines.tables import tables_kept
from specforge.evidence.certificate import Proved
from specforge.evidence.goal import ClaimGoal, DefectGoal, Goal, RuleGoal
from specforge.evidence.sentences import Sentence
from specforge.evidence.trace import Trace
from specforge.evidence.verdict import FREE_CHECKS, Result, Scope, Verdict
from specforge.records import frozen

EVERYTHING = Scope("any", "any")


@frozen
class FreeGoal:
    """A run to look for.  `wants`: whether one must never be found, or must be; `text`: what it would show, in a few words."""

    check: str
    goal: Goal
    wants: Literal["never", "sometime"]
    text: str = field(default="", eq=False)


@frozen
class Shown:
    """What a row tells of a proof.  `why`: what it comes to, in words."""

    lemmas: tuple[str, ...] = ()
    premises: tuple[str, ...] = ()
    why: str = ""
    core: tuple[Sentence, ...] | None = None

    @classmethod
    def of(cls, proof: Proved, core: tuple[Sentence, ...] | None = None) -> Shown:
        return cls(proof.lemmas, proof.premises, why_it_ends(proof), core)


def why_it_ends(proof: Proved) -> str:
    """What falls in every settling, one thing after the other."""
    settling = proof.certificate.settling
    measures = settling.measures if settling is not None else ()
    falls = [f"{each.text} falls with {' and '.join(f'`{name}`' for name in each.falls)}" for each in measures]
    return "; then ".join(falls)


class Searched(Protocol):
    """What `free_rows` needs to know of a search (a Quest of engines/refute.py)."""

    trace: Trace | None
    proof: Shown | None  # that there is no such run
    obstacle: str  # why there is no proof
    engine: str
    seconds: float


Search = TypeVar("Search", bound=Searched)


def free_goals(system: ir.System) -> list[FreeGoal]:
    """The runs to look for, of all checks that need one."""
    never = [FreeGoal(each.value, DefectGoal(each), "never", each.value) for each in ir.Defect if may_meet(system, each)]
    return [*never, *_alive(system), *_vacuous(system)]


# ------------------------------------------------------------ what must never happen


def may_meet(system: ir.System, defect: ir.Defect) -> bool:
    """Whether anything in the text could meet the defect at all."""
    if defect is ir.Defect.RESTS:
        return bool(system.duties)
    rules = (*system.actions.values(), *system.duties.values())
    return any(defect in met_at(system, rule, node) for rule in rules for node in nodes_of(system, rule))


def nodes_of(system: ir.System, rule: ir.Action | ir.Duty) -> Iterator[object]:
    """What is worked out when the rule acts: its own parts, and the declared bounds of whatever it may change."""
    parts: list[object] = [rule.body] if isinstance(rule, ir.Action) else [rule.body, rule.when, rule.rank]
    for each in system.fields.values():
        parts += [each.low, each.high]
    for part in parts:
        yield from ir.walk(part)


def met_at(system: ir.System, rule: ir.Action | ir.Duty, node: object) -> set[ir.Defect]:
    """The defects that a node of the rule may meet by itself."""
    match node:
        case ir.Op(ir.Operator.DIV, (_, ir.Lit(value))):
            return {ir.Defect.DIVISION} if value == 0 else set()
        case ir.Op(ir.Operator.DIV) | ir.Fold(ir.Folding.LARGEST) | ir.Fold(ir.Folding.SMALLEST):
            return {ir.Defect.DIVISION}
        case ir.Undefined(defect):
            return {defect}
        case ir.Tier(policy=ir.Policy.PROPORTION):
            return {ir.Defect.DIVISION}
        case ir.Tier(step=step):
            return {ir.Defect.DIVISION} if step is not None and not (isinstance(step, ir.Lit) and step.value != 0) else set()
        case ir.Require():
            return {ir.Defect.REFUSED} if isinstance(rule, ir.Duty) else set()
        case ir.Collect(rest=rest):
            return {ir.Defect.REFUSED} if rest is None else set()
        case ir.Move(source=source, target=target):
            return _met_by_moving(system, [system.fields[each.field] for each in (source, target) if each is not None])
        case ir.Set(place=place):
            field = system.fields[place.field]
            return {*_met_by_change(system, field), *({ir.Defect.BOUNDS} if _is_bounded(field) else ())}
        case _:
            return set()


def _met_by_moving(system: ir.System, ends: Sequence[ir.Field]) -> set[ir.Defect]:
    """The amount may be negative, a floor or a bound broken; between accounts without a floor, in one house, nothing can be."""
    houses = {ir.holdings_field(each.house, each.asset) for each in ends}
    across = len(ends) == 1 or len(houses) > 1
    result = {defect for each in ends for defect in _met_by_change(system, each)}
    if across:
        result |= {defect for house in houses for defect in _met_by_change(system, system.fields[house])}
    free = all(each.kind is ir.Kind.NET and not _is_bounded(each) for each in ends)
    return result if free and not across else {*result, ir.Defect.FUNDED}


def _met_by_change(system: ir.System, field: ir.Field) -> set[ir.Defect]:
    return {ir.Defect.BOUNDS} if field.name in bounded_by(system) else set()


def _is_bounded(field: ir.Field) -> bool:
    return field.low is not None or field.high is not None


# ------------------------------------------------------------ what must be able to happen


def _alive(system: ir.System) -> list[FreeGoal]:
    actions = [each.name for each in system.actions.values() if each.open]
    return [FreeGoal("alive", RuleGoal(name), "sometime", f"`{name}`") for name in (*actions, *system.duties)]


def _vacuous(system: ir.System) -> list[FreeGoal]:
    """Each claim under each set of assumptions: it is judged, and where it says `if A then B`, A holds."""
    goals: list[FreeGoal] = []
    judged: set[tuple[ir.Moment, tuple[ir.Given, ...]]] = set()
    for claim in system.claims.values():
        for given in dict.fromkeys(each.given for each in claim.expects or (ir.Expect("proved"),)):
            said = f"`{claim.name}`" + (f" given {', '.join(each.text for each in given)}" if given else "")
            antecedent = condition_never_met(claim.cond)
            if antecedent is not None:
                tested = ClaimGoal(evolve(claim, cond=antecedent), given)
                goals.append(FreeGoal("vacuous", tested, "sometime", f"the condition of {said} met"))
            elif (claim.moment, given) not in judged:
                judged.add((claim.moment, given))
                goals.append(FreeGoal("vacuous", ClaimGoal(evolve(claim, cond=ir.NO), given), "sometime", f"{said} judged"))
    return goals


def condition_never_met(cond: ir.Expr) -> ir.Expr | None:
    """For `… A implies B`: that A never holds (for anybody).  None if it has no such form."""
    match cond:
        case ir.Op(ir.Operator.OR, (ir.Op(ir.Operator.NOT, (condition,)) as never, _)):
            inner = condition_never_met(condition)
            return never if inner is None else ir.Op(ir.Operator.OR, (never, inner))
        case ir.Fold(ir.Folding.ALL, var, party, where, body):
            inner = condition_never_met(body)
            if inner is None and where == ir.YES:
                return None
            return ir.Fold(ir.Folding.ALL, var, party, where, inner or ir.NO, span=cond.span)
        case ir.Let(name, value, body):
            inner = condition_never_met(body)
            return None if inner is None else ir.Let(name, value, inner, span=cond.span)
        case _:
            return None


# ------------------------------------------------------------ rows


def free_rows(
    system: ir.System,
    rulebook: str,
    searches: Mapping[FreeGoal, Search],
    checks: Sequence[str],
    scope_of: Callable[[Search], Scope],
    idle: Sequence[str] | None = None,
) -> list[Result]:
    """One row per check.  `searches`: what became of the goals; `scope_of`: how far a search excluded every run; `idle`: the
    guards that never refuse anything (None: nobody has looked)."""
    rows: list[Result] = []
    for check in checks:
        about = Result("free", rulebook, check, Verdict.UNKNOWN, text=FREE_CHECKS[check], span=system.span)
        goals = {each: search for each, search in searches.items() if each.check == check}
        about = evolve(about, seconds=sum(each.seconds for each in goals.values()))
        if check == "fed":
            rows.append(_fed_row(system, about))
        elif check == "idle":
            rows.append(_idle_row(about, idle))
        elif check in ("alive", "vacuous"):
            rows.append(_sometime_row(about, goals))
        else:
            row = _never_row(about, goals, scope_of)
            rows.append(_with_tables(system, row) if check == "tables" else row)
    return rows


def _never_row(about: Result, goals: Mapping[FreeGoal, Search], scope_of: Callable[[Search], Scope]) -> Result:
    if not goals:
        return evolve(about, verdict=Verdict.PROVED, scope=EVERYTHING, engine="text", reason="nothing in the text could")
    search = next(iter(goals.values()))
    proof = search.proof
    if search.trace is not None:
        scope = Scope(search.trace.members, search.trace.actions)
        span = search.trace.where or about.span
        return evolve(about, verdict=Verdict.REFUTED, scope=scope, trace=search.trace, engine=search.engine, span=span)
    if proof is not None:
        scope = Scope("any", "any", proof.premises)
        return evolve(about, verdict=Verdict.PROVED, scope=scope, engine="induction", lemmas=proof.lemmas, reason=proof.why)
    scope = scope_of(search)
    obstacle = f"; the proof fails since {search.obstacle}" if search.obstacle else ""
    if scope.members is None:
        reason = f"the search was not exhausted for any number of actions{obstacle}"
        return evolve(about, scope=scope, engine="bounded search", reason=reason)
    reason = f"no run of this size shows it; beyond that it needs a proof{obstacle}"
    return evolve(about, verdict=Verdict.BOUNDED, scope=scope, engine="bounded search", reason=reason)


def _sometime_row(about: Result, goals: Mapping[FreeGoal, Search]) -> Result:
    missing = [each.text for each, search in goals.items() if search.trace is None]
    if not missing:
        reason = "each was seen in a run" if goals else "there are none"
        return evolve(about, verdict=Verdict.PROVED, engine="runs", reason=reason)
    never = [each for each, search in goals.items() if search.trace is None and search.proof is not None]
    if never:
        reason = f"it is proved that no run shows {'; '.join(each.text for each in never)}"
        if said := "; ".join(dict.fromkeys(filter(None, (_excluding(each.goal) for each in never)))):
            reason += f". What is assumed excludes everything: no run meets {said}"
        vacuous = True if about.name == "vacuous" else None
        return evolve(about, verdict=Verdict.REFUTED, scope=EVERYTHING, engine="induction", reason=reason, vacuous=vacuous)
    return evolve(about, engine="runs", reason=f"not seen in any run: {'; '.join(missing)}. That it cannot be needs a proof")


def _excluding(goal: Goal) -> str:
    """What is assumed, if the goal is that a claim is judged which would be judged in every run: then no run meets that."""
    if not isinstance(goal, ClaimGoal) or goal.claim.cond != ir.NO or isinstance(goal.claim.moment, ir.After):
        return ""
    return " and ".join(f"`{each.text}`" for each in goal.given)


def _with_tables(system: ir.System, row: Result) -> Result:
    """The row about lookups, with what the tables themselves are said to be."""
    kept = tables_kept(system)
    broken = [each for each in kept if each.holds is False]
    if broken and row.verdict is not Verdict.REFUTED:
        reason = "; ".join(f"`{each.table.name}` is not {each.property}: {each.reason}" for each in broken)
        return evolve(row, verdict=Verdict.REFUTED, scope=EVERYTHING, engine="table", reason=reason, span=broken[0].table.span)
    open_ = [each for each in kept if each.holds is None]
    if open_ and row.verdict is not Verdict.REFUTED:
        reason = "; ".join(f"whether `{each.table.name}` is {each.property} is open: {each.reason}" for each in open_)
        return evolve(row, verdict=Verdict.UNKNOWN, scope=Scope(), engine="table", reason=reason)
    if kept and row.verdict is Verdict.PROVED:
        return evolve(row, engine="table", reason="every lookup has a row, and every property of a table is proved")
    return row


def _idle_row(about: Result, idle: Sequence[str] | None) -> Result:
    """A note, not a verdict on the rulebook: a guard may be there for clarity."""
    if idle is None:
        return evolve(about, reason="there was no time to look for them")
    reason = "; ".join(idle) or "none was found"
    return evolve(about, verdict=Verdict.PROVED, scope=EVERYTHING, engine="induction", reason=reason)


def _fed_row(system: ir.System, about: Result) -> Result:
    found = unfed_claims(system)
    if not found:
        return evolve(about, verdict=Verdict.PROVED, scope=EVERYTHING, engine="text")
    said = [f"`{claim.name}` is about {' and '.join(f'`{each}`' for each in names)}" for claim, names in found]
    reason = f"no money ever changes it: {'; '.join(said)}"
    return evolve(about, verdict=Verdict.REFUTED, scope=EVERYTHING, engine="text", reason=reason, span=found[0][0].span)
