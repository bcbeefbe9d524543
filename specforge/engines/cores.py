"""What of a rulebook a proof needs: for each of its obligations, a core of tracked facts and of the amounts that matter.

A condition (a `require`, a `when`, a bound, the law of a tier) is a fact that the solver may use; those it needs are the core.
An amount that is moved or set is part of the formulas: it is needed if the obligation fails once it may be anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from specforge.algebra.classes import CLASS_LIMIT, NotAdditive
from specforge.algebra.obligation import RLIMIT, Question
from specforge.algebra.written import core as needed
from specforge.core import ir
from specforge.diagnostics.source import Span
from specforge.engines.cases import Case
from specforge.engines.transitions import Scene, begin, in_classes
from specforge.evidence.certificate import Core, Proved
from specforge.evidence.goal import action_assumptions
from specforge.evidence.sentences import Key, Sentence, sentences, used_by
from specforge.records import frozen

if TYPE_CHECKING:
    from specforge.engines.induction import Prover

WORK = RLIMIT // 40  # for each question whether an amount matters


@frozen(eq=False)
class Asked:
    """An obligation as it was put: which transition, with whom, and what was to be shown."""

    case: Case
    extra: tuple[tuple[str, int], ...]
    show: ir.Expr
    env: dict[str, str]
    way: str
    judged: bool


def core_of_proof(system: ir.System, proof: Proved) -> tuple[Sentence, ...]:
    """All that any step of the proof needs, in the order of the text."""
    result = Core()
    for each in proof.certificate.obligations:
        result = result.with_(each.core() if each.core is not None else Core())
    return tuple(used_by(result.sentences, result.assumed, sentences(system)))


def core_of(prover: Prover, asked: Asked, question: Question | None) -> Core:
    """What one obligation needs.  `question`: what the solver was asked, if it was."""
    known = prover.cores.get(id(asked))
    if known is None:
        known = prover.cores[id(asked)] = _core_of(prover, asked, question)
    return known


def _core_of(prover: Prover, asked: Asked, question: Question | None) -> Core:
    amounts, members = amounts_of(prover, asked.case)
    sources = question.used if question is not None else frozenset[str]()
    found = _try(prover, asked, frozenset(amounts), sources) if not members else None
    if found is not None:
        return found
    forgotten: frozenset[Span] = frozenset()
    best = _try(prover, asked, forgotten, sources)
    for each in amounts if best is not None else ():
        better = _try(prover, asked, forgotten | {each}, sources)
        if better is not None:
            forgotten, best = forgotten | {each}, better
    if best is None:  # asked again it is not clear, so nothing is left out
        best = _from(question, sources)
    return best.with_(Core(frozenset(("span", each) for each in (*amounts, *members) if each not in forgotten)))


def amounts_of(prover: Prover, case: Case) -> tuple[list[Span], list[Span]]:
    """The sentences of the transition that move or set something; apart from them those that set a field to a member."""
    rules = [prover.system.duties.get(case.rule) if case.kind == "duty" else prover.system.actions.get(case.rule)]
    rules.append(prover.system.duties.get(case.then))
    amounts: dict[Span, None] = {}
    members: dict[Span, None] = {}
    for rule in rules:
        for each in ir.walk(rule.body) if rule is not None else ():
            if isinstance(each, ir.Set) and isinstance(prover.system.fields[each.place.field].type, ir.Of):
                members[each.span] = None
            elif isinstance(each, ir.Set | ir.Move) or (isinstance(each, ir.Tier) and each.party is None):
                amounts[each.span] = None
    return list(amounts), list(members)


def _try(prover: Prover, asked: Asked, forgotten: frozenset[Span], sources: frozenset[str]) -> Core | None:
    """The core, if the obligation still holds when those amounts may be anything."""
    try:
        scene, goal = _scene(prover, asked, forgotten)
    except NotAdditive:
        return None
    if scene.impossible:
        conditions = scene.algebra.conditions
        keys = [key for fact, key in zip(conditions, conditions.sentences, strict=True) if fact is False]
        return Core(frozenset(key for key in keys[:1] if key is not None))
    if goal is True:
        return Core()
    used = {name: each for name, each in prover.lemmas.items() if name in sources}
    question = prover.question(scene, goal, asked.judged, used)
    question.hypotheses = [each for each in question.hypotheses if each.source in sources]
    if question.ask(WORK) != "proved":
        return None
    return _from(question, question.used)


def _from(question: Question | None, sources: frozenset[str]) -> Core:
    if question is None:
        return Core()
    keys, used = needed(question)
    used = used or set(sources)
    rests: set[Key] = {("when", each.removeprefix("rest: ")) for each in used if each.startswith("rest: ")}
    assumed = {each.partition(": ")[2] for each in used if each.startswith(("given: ", "assumption: "))}
    return Core(frozenset({*keys, *rests}), frozenset(assumed))


def _scene(prover: Prover, asked: Asked, forgotten: frozenset[Span]) -> tuple[Scene, object]:
    actions = action_assumptions(prover.system, prover.goals[0]) if prover.goals else {}
    splitting = asked.way == "split"

    def build(crowd: object) -> tuple[Scene, object]:
        scene = begin(
            prover.book, asked.case, dict(asked.extra), crowd, actions, asked.way == "coarse", splitting, forgotten,  # type: ignore[arg-type]
        )  # fmt: skip
        return scene, scene.show(asked.show, {mine: scene.env[theirs] for mine, theirs in asked.env.items()})

    parties = [party.name for party in prover.system.open_parties()]
    return in_classes(build, parties, CLASS_LIMIT)

