"""What runs for everybody at once: the bodies of loops over an open party, and of tiers."""

from __future__ import annotations

from specforge.core import ir
from specforge.diagnostics.codes import Code
from specforge.diagnostics.diagnostic import Label
from specforge.diagnostics.source import Span
from specforge.elaborate.names import Scope


class Simultaneous:
    """The rules for what runs for everybody at once, so that order cannot matter."""

    def __init__(self, var: str, header: Span, scope: Scope, instead: str | None = None):
        self.var, self.header, self.scope, self.instead = var, header, scope, instead

    def check(self, body: ir.Block) -> None:
        for each in body:
            match each:
                case ir.Require():
                    self._report(Code.SF409, "`require` cannot stand where everybody acts at once", each.span)
                case ir.Collect():
                    self._report(Code.SF410, "`collect` cannot stand where everybody acts at once", each.span)
                case ir.ForEach() | ir.InTurn():
                    message = "a loop over an open party, or in an order, cannot stand where everybody acts at once"
                    self._report(Code.SF410, message, each.span)
                case ir.Took():
                    message = "an action cannot be taken for everybody at once"
                    self._report(Code.SF409, message, each.span, "make what it does a procedure, and call that")
                case ir.Set(place, _, add):
                    if not add and not self._own(place):
                        message = "everybody at once would set the same field"
                        self._report(Code.SF411, message, each.span, "add to it with `+=` or `-=`")
                case ir.Move(_, source, target):
                    if source is not None and target is not None and not self._own(source) and not self._own(target):
                        message = "a transfer for everybody at once must have the member itself at one end"
                        self._report(Code.SF424, message, each.span)
                case ir.Branch(_, then, orelse):
                    self.check(then)
                    self.check(orelse)
                case ir.Bind():
                    pass

    def _own(self, place: ir.Place) -> bool:
        return isinstance(place.member, ir.Var) and place.member.name == self.var

    def _report(self, code: Code, message: str, span: Span, help: str | None = None) -> None:
        labels = Label(span, "here"), Label(self.header, "for everybody at once")
        self.scope.context.report(code, message, *labels, help=help or self.instead)
