"""Verdicts: what each word means, and the evidence it must carry."""

from __future__ import annotations

from enum import Enum
from typing import Literal

from attrs import field

from specforge.core import ir
from specforge.diagnostics.source import NOWHERE, Span
from specforge.evidence.lead import Lead
from specforge.evidence.sentences import Sentence
from specforge.evidence.trace import Trace
from specforge.records import frozen

Kind = Literal["claim", "reach", "scenario", "free"]

FREE_CHECKS: dict[str, str] = {  # in the order in which they are told
    "funded": "no account is taken below its floor, and no house pays out more than it holds",
    "bounds": "what is declared to lie between bounds does, after every change",
    "defined": "nothing is divided by zero, every ranking has its key, no weight is negative",
    "tables": "every lookup finds a row, and every table is what it is said to be",
    "duties": "no duty is refused, and nothing is left where nothing may remain",
    "rests": "every settling ends",
    "alive": "every action and every duty can happen",
    "vacuous": "every claim is judged in some run that keeps what is given, and its condition can be met",
    "fed": "no claim rests on an amount kept by hand that no money ever changes",
    "idle": "guards that never refuse anything are named",
}


class Verdict(Enum):
    """For a claim or a free check: holds for every run; for every run of a scope; broken by a run; not decided.
    For a reach: PROVED means a run reaches it (the trace), REFUTED that none can.  For a scenario: it holds, or fails."""

    PROVED = "proved"
    BOUNDED = "bounded"
    REFUTED = "refuted"
    UNKNOWN = "unknown"


@frozen
class Scope:
    """What a verdict is about.  `members` counts those of each open party, `steps` the world's actions; "any" is every number;
    None: not applicable.  `limits`: what else the search kept to, in sentences ("sizes in XBT on the grid -2, -1, 0, 1, 2")."""

    members: int | Literal["any"] | None = None
    steps: int | Literal["any"] | None = None
    limits: tuple[str, ...] = ()


@frozen
class Result:
    """One row of the verdict table.

    `expected`: the expectation's word or None.  `met`: True, False, or None while undecided.  `contradicts`: it stands against
    what was expected (exit code 1).  `vacuous`: True if there is nothing the claim is about; None if that is not known.
    `shortest`: every shorter run was excluded, for the member counts of `scope`.  `seconds`: wall time.  `core`: the sentences
    that the proof needs (None: that was not asked).  `reason`: why no stronger verdict, in one sentence.  `lead`: the step at
    which a proof by induction fails.  `fragile`: which verdicts other seeds came to ("UNKNOWN with 1 of 3 seeds"); empty if
    they came to the same, or were not asked."""

    kind: Kind
    rulebook: str
    name: str
    verdict: Verdict
    scope: Scope = Scope()
    text: str = ""
    cites: tuple[ir.Cite, ...] = ()
    span: Span = field(default=NOWHERE, eq=False, repr=False)
    given: tuple[str, ...] = ()
    expected: str | None = None
    met: bool | None = None
    contradicts: bool = False
    vacuous: bool | None = None
    engine: str = ""
    seconds: float = 0.0
    lemmas: tuple[str, ...] = ()
    core: tuple[Sentence, ...] | None = None
    trace: Trace | None = None
    shortest: bool = False
    reason: str = ""
    lead: Lead | None = None
    fragile: str = ""

    def __attrs_post_init__(self) -> None:
        # INVARIANT: a refuted claim or free check carries the run that refutes it, replayed exactly; only a table, the text
        # itself, and the proof that there is no run where there should be one, are judged without.
        without = ("table", "text", "induction") if self.kind == "free" else ("table", "text")
        needs_run = self.kind in ("claim", "free") and self.engine not in without
        if self.verdict is Verdict.REFUTED and needs_run and self.trace is None:
            raise ValueError(f"{self.name}: a refutation needs its trace")
