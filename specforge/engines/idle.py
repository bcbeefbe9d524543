"""Guards that never refuse anything: what a `require` asks follows, in every reachable state, from what else is asked there.

Such a guard protects nobody.  It may be a limit set too high to matter, and is worth a look; it is no mistake by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from attrs import evolve

from specforge.algebra.classes import NotAdditive
from specforge.core import ir
from specforge.diagnostics.source import Span
from specforge.engines.cases import Case
from specforge.engines.shapes import conjuncts, one_line
from specforge.engines.transitions import Scene
from specforge.records import frozen


@frozen
class Idle:
    """`who`: the member with a name of his own for whom it never refuses anything; "": for nobody it does."""

    action: str
    guard: str
    span: Span
    who: str = ""
    given: tuple[str, ...] = ()

    def text(self) -> str:
        whom = f" for {self.who}" if self.who else ""
        under = f", given {', '.join(self.given)}" if self.given else ""
        return f"`{self.guard}` in `{self.action}` (line {self.span.line}) never refuses anything{whom}{under}"


def asked_one_by_one(system: ir.System) -> ir.System:
    """The same rulebook, where `require A and B` is `require A`, then `require B`."""

    def block(body: ir.Block) -> ir.Block:
        return tuple([each for statement in body for each in one(statement)])

    def one(statement: ir.Statement) -> Iterator[ir.Statement]:
        match statement:
            case ir.Require(cond):
                for part in conjuncts(cond):
                    yield ir.Require(part, span=part.span)
            case ir.Branch(_, then, orelse):
                yield evolve(statement, then=block(then), orelse=block(orelse))
            case _:
                yield statement

    return evolve(system, actions={name: evolve(each, body=block(each.body)) for name, each in system.actions.items()})


Ask = Callable[[Scene, int], bool]
"""Does the condition (by its position) follow from the others that are asked in the same state, and from what always holds?"""


def idle_guards(system: ir.System, cases: list[Case], scene_of: Callable[[Case], Scene], ask: Ask) -> list[Idle]:
    """Of every guard of the world's actions: does it refuse anything, to anybody, or to a member who has a name?"""
    found: list[Idle] = []
    for action in system.actions.values():
        mine = [case for case in cases if case.kind == "action" and case.rule == action.name]
        if not mine:
            continue
        try:
            binding = {case: _binding(scene_of(case), ask) for case in mine}
        except NotAdditive:
            continue
        guards = [node for node in ir.walk(action.body) if isinstance(node, ir.Require)]
        for guard in {each.span: each for each in guards}.values():
            text = one_line(guard.cond)
            if all(guard.span not in each for each in binding.values()):
                found.append(Idle(action.name, text, guard.span))
                continue
            for param in action.params:
                for at, name in enumerate(_names(system, param)):
                    his = [each for case, each in binding.items() if dict(case.members)[param.name] == at]
                    if his and all(guard.span not in each for each in his):
                        found.append(Idle(action.name, text, guard.span, name))
    return found


def _names(system: ir.System, param: ir.Argument) -> list[str]:
    if not isinstance(param.type, ir.Of):
        return []
    party = system.parties[param.type.party]
    return [each.name for each in party.named] if party.members is None else []


def _binding(scene: Scene, ask: Ask) -> set[Span]:
    """The guards that may refuse something."""
    return {span for at, span in scene.algebra.guarded if at < 0 or not ask(scene, at)}
