"""Guesses for a fixed number of members from a fixed point search, where those read off the text do not suffice."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from specforge.algebra.horn import invariant
from specforge.algebra.symbolic import conj, disj, equal
from specforge.engines.encoding import Encoding, Looked, matched, parts

Bool = Any
RLIMIT = 20_000_000  # of the solver's work, for each claim
MOST_CELLS = 60  # unknowns of a state: with more nothing comes of it


def from_fixed_point(encoding: Encoding, looked: Sequence[Looked]) -> Iterator[tuple[str, Bool]]:
    """For each of the claims that are still open: conditions that would exclude its violation, in words and as formulas."""
    state = [each for value in encoding.formal.values() for each in parts(value)]
    following = [each for value in encoding.next.values() for each in parts(value)]
    rigid = [each for value in encoding.rigid.values() for each in parts(value)]
    if encoding.products or len(state) + len(rigid) > MOST_CELLS:
        return
    first = conj((*encoding.rigid_facts, *(equal(a, b) for a, b in matched(encoding.formal, encoding.initial))))
    step = conj((*encoding.rigid_facts, *encoding.step))
    for each in looked:
        if each.on_step or conj((*each.along, *each.along_step)) is not True:
            continue
        found = invariant([*state, *rigid], [*following, *rigid], first, step, disj((each.bad,)), RLIMIT)
        for condition in found or ():
            yield _words(encoding, str(condition)), condition


def _words(encoding: Encoding, formula: str) -> str:
    """The condition with its unknowns in the rulebook's words; members are numbered from 1."""

    def of(match: re.Match[str]) -> str:
        field, member = match[1], int(match[2])
        party = encoding.system.fields[field].party if field in encoding.system.fields else ""
        return field if encoding.sizes.get(party) == 1 else f"{field} of no. {member + 1}"

    return " ".join(re.sub(r"s:([^\s:]+(?::[^\s:\d]+)?):(\d+):\d+", of, formula).split())
