"""Why there is no proof, as something to look at: a state, one step, and what no longer holds.  It may not be reachable."""

from __future__ import annotations

from attrs import field

from specforge.diagnostics.source import NOWHERE, Span
from specforge.records import frozen


@frozen
class Lead:
    """`why`: what kept the prover from it, and `where`, if one sentence did.  If a step was found: `before`, the values of the
    state worth showing; `event`, what happens there; `changed`; `breaks`, what held before and does not after;
    `excluded_by`, a sentence that is false in that state and true in every one of the `runs` that were tried."""

    why: str
    where: Span = field(default=NOWHERE, eq=False, repr=False)
    before: tuple[str, ...] = ()
    event: str = ""
    changed: tuple[str, ...] = ()
    breaks: str = ""
    excluded_by: str = ""
    runs: int = 0
    span: Span = field(default=NOWHERE, eq=False, repr=False)  # of the rule
