"""That nothing goes wrong, for any number of members: no statement of anything that may happen meets a defect.

A rule is followed statement by statement: what was demanded of those before has held, so the first that goes wrong is looked
for.  What is demanded of everybody is shown of members who stand for any; the crowd need not be asked.

Where everybody acts at once there is no first: a proof that one kind of defect is never met is about runs that do not, in that
very moment, meet another kind as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from posixpath import dirname, relpath
from typing import TYPE_CHECKING

from attrs import field

from specforge.algebra.classes import NotAdditive
from specforge.algebra.crowd import Owed
from specforge.core import ir
from specforge.diagnostics.source import NOWHERE, Span
from specforge.engines.cases import Case, Extra, members_text
from specforge.engines.free import met_at, nodes_of
from specforge.engines.transitions import Scene
from specforge.evidence import certificate
from specforge.evidence.certificate import Need
from specforge.records import define, frozen

if TYPE_CHECKING:
    from specforge.engines.induction import Prover

Place = tuple[ir.Defect, Span]  # a statement, and what it may meet
PLAINLY = "nothing goes wrong there in this transition: so much is clear once it is put into formulas; no solver was asked"


@frozen
class Obstacle:
    """Where it could not be shown that nothing goes wrong."""

    reason: str
    span: Span
    step: str
    whole: bool = False  # nothing could be said of the transition at all

    def text(self) -> str:
        said = " ".join(self.span.text.split("\n")[0].split())
        return f"{self.reason} at `{said}` (line {self.span.line}, in {self.step})" if said else self.reason


@define(eq=False)
class Watch:
    """What is shown so far.  `open`: for each transition the places that may still go wrong (None: not looked at yet);
    `shown`: that nothing goes wrong, of each place in each transition."""

    prover: Prover
    open: dict[tuple[Case, Extra], dict[Place, Obstacle] | None] = field(factory=dict)
    shown: dict[ir.Defect, list[Need]] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        for case in self.prover.cases:
            if case.kind in ("action", "duty"):
                for extra in self._extras(case):
                    self.open[case, extra] = None

    def look(self) -> None:
        """Tries everything that is open, with the lemmas there are now."""
        for (case, extra), before in list(self.open.items()):
            if before is None or any(each.whole for each in before.values()):
                self.open[case, extra] = self._look(case, extra, None)
            elif before:
                self.open[case, extra] = self._look(case, extra, before)

    def obstacle(self, defect: ir.Defect) -> Obstacle | None:
        """What stands in the way of saying that this defect is never met."""
        for (case, _), places in self.open.items():
            if places is None:
                return Obstacle("not looked at", NOWHERE, case.text())
            for (kind, _), obstacle in places.items():
                if kind is defect:
                    return obstacle
        return None

    def _look(self, case: Case, extra: Extra, before: Mapping[Place, Obstacle] | None) -> dict[Place, Obstacle]:
        open_: dict[Place, Obstacle] | None = dict(before) if before is not None else None
        if open_ is not None and any(each.whole for each in open_.values()):
            open_ = None
        step = Need("", case.text(), members_text(extra)).text().removeprefix("the claim @ ")
        for way in self.prover.ways(case):
            try:
                scene, _ = self.prover.scene(case, extra, None, None, way, False)
            except NotAdditive as reason:
                if open_ is None and way == "split":
                    obstacle = Obstacle(reason.reason, reason.span, step, True)
                    open_ = {(defect, reason.span): obstacle for defect in ir.Defect}
                continue
            owed = [((each.defect, each.span), each) for each in scene.algebra.owed]
            if open_ is None:
                self._plainly(case, extra, {place for place, _ in owed})
            else:
                owed = [each for each in owed if each[0] in open_]
            needs: dict[Place, list[Need]] = {}
            failed: dict[Place, Obstacle] = {}
            for place, each in owed:  # in the order of the statements: what is known grows
                if place in failed:
                    continue
                mine = needs.setdefault(place, [])
                need = Need(f"{spot(self.prover.system, place)} #{len(mine)}", case.text(), members_text(extra))
                if self._shown(scene, need, each):
                    mine.append(need)
                else:
                    failed[place] = Obstacle("the induction does not go through", place[1], step)
            for place in needs:
                if place not in failed:
                    self.shown.setdefault(place[0], []).extend(needs[place])
            open_ = failed
            if not open_:
                break
        return open_ or {}

    def _shown(self, scene: Scene, need: Need, owed: Owed) -> bool:
        question = scene.before_it(owed)
        if question is not None:
            question.hypotheses = [*question.hypotheses, *self.prover.lemmas_in(scene)]
        found = certificate.discharge(need, question, self.prover.rlimit // 2)
        if found is not None:
            self.prover.done[need] = found
        return found is not None

    def _plainly(self, case: Case, extra: Extra, places: set[Place]) -> None:
        """Of the places of the rule at which nothing is demanded in this transition."""
        asked = {spot(self.prover.system, place) for place in places}
        for place in places_of(self.prover.system, self._rule(case)):
            said = spot(self.prover.system, place)
            if said not in asked:
                need = Need(f"{said} #0", case.text(), members_text(extra))
                found = certificate.discharge(need, None, 0, PLAINLY)
                assert found is not None
                self.prover.done[need] = found
                self.shown.setdefault(place[0], []).append(need)

    def _rule(self, case: Case) -> ir.Action | ir.Duty:
        system = self.prover.system
        return system.actions[case.rule] if case.kind == "action" else system.duties[case.rule]

    def _extras(self, case: Case) -> Iterator[Extra]:
        """How many members stand for any: none, up to as many as the rule speaks of at once, loop within loop."""
        most = at_once(self.prover.system, self._rule(case))
        for counts in product(*(range(n + 1) for n in most.values())):
            yield tuple(zip(most, counts, strict=True))


def places_of(system: ir.System, rule: ir.Action | ir.Duty) -> list[Place]:
    """The sentences that may go wrong when the rule acts, each with how, in the order of the text."""
    found = {(defect, node.span) for node in nodes_of(system, rule) for defect in met_at(system, rule, node)}  # type: ignore[attr-defined]
    return sorted(found, key=lambda each: (each[1].file.path, each[1].start, each[1].end, each[0].value))


def spot(system: ir.System, place: Place) -> str:
    """`funded at 12:5`, or `funded at std/linear.rulebook:12:5`: what may go wrong, and where."""
    defect, span = place
    file, mine = span.file.path, system.span.file.path
    if file == mine or file.startswith("std/"):
        name = "" if file == mine else f"{file}:"
    else:
        name = f"{relpath(file, dirname(mine) or '.')}:"
    return f"{defect.value} at {name}{span.line}:{span.column}"


def at_once(system: ir.System, rule: ir.Action | ir.Duty) -> dict[str, int]:
    """Of how many members of each open party the rule speaks at once where something may go wrong, loop within loop."""
    most = {party.name: 0 for party in system.open_parties()}
    for part in [rule.body] if isinstance(rule, ir.Action) else [rule.body, rule.when, rule.rank]:
        for party, count in _depth(system, rule, part).items():
            most[party] = max(most[party], count)
    return most


def _depth(system: ir.System, rule: ir.Action | ir.Duty, node: object) -> dict[str, int]:
    """How deep loops over each open party lie within each other, around something that may go wrong."""
    inside: dict[str, int] = {}
    for child in _children(node):
        for party, count in _depth(system, rule, child).items():
            inside[party] = max(inside.get(party, 0), count)
    match node:
        case ir.Fold(party=party) | ir.ForEach(party=party) | ir.Tier(party=str(party)):
            here = system.parties[party].members is None
        case _:
            return inside
    if here and any(met_at(system, rule, each) for each in ir.walk(node)):
        inside[party] = inside.get(party, 0) + 1
    return inside


def _children(node: object) -> Iterator[object]:
    """What stands directly inside (as `ir.walk` goes)."""
    if node is None:
        return
    if isinstance(node, tuple):
        yield from node
        return
    seen = ir.walk(node)
    next(seen)
    skip: set[int] = set()
    for each in seen:
        if id(each) in skip:
            continue
        yield each
        skip.update(id(other) for other in ir.walk(each))
