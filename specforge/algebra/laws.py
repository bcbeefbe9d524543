"""The laws that let a class of members stand as one member: what the any-number prover relies on beyond arithmetic.

A `Sum` says of the sums of a class what holds of each of its members; whatever the prover is told about a class comes from
here.  It holds of nobody, and with one more member if it held before: an induction over the members.  A `Law` is what the
rules of sharing out rest on.  The tests have a solver prove each of them, and that each is about something, and hold each
against what the exact interpreter does to random members.

On paper only: a sum over finitely many members does not depend on their order; the common rate of a proportional tier exists
(what it yields is 0 at 0, grows continuously, and reaches all caps), and so does the threshold of a ranked one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from specforge.algebra.polynomial import ONE, ZERO, Poly, at_least_zero, either, is_minimum, is_zero, minimum, positive
from specforge.algebra.symbolic import conj, disj, implies, negate
from specforge.records import frozen

Bool = Any
Facts = tuple[Bool, ...]


@frozen
class Law:
    """`given` and `then` make formulas from numbers, of which there are `unknowns`."""

    name: str
    text: str
    unknowns: int
    given: Callable[..., Sequence[Bool]]
    then: Callable[..., Bool]


@frozen
class Sum:
    """`of`: what is said of a class, from `common` numbers that are the same for all, `summed` sums over its members and, if it
    `counts` them, their number.  `each`: what is known of a member, from the same; None: just what is said."""

    name: str
    text: str
    common: int
    summed: int
    of: Callable[..., Facts]
    counts: bool = False
    each: Callable[..., Facts] | None = None

    def of_nobody(self, *common: Poly) -> Bool:
        return conj(self.of(*common, *[ZERO] * (self.summed + self.counts)))

    def one_more(self) -> Law:
        """That it holds with one more member: of the common numbers, the sums, his values, and the number of the others."""

        def apart(values: Sequence[Poly]) -> tuple[Sequence[Poly], Sequence[Poly], Sequence[Poly], Sequence[Poly]]:
            first, second = self.common + self.summed, self.common + 2 * self.summed
            return values[: self.common], values[self.common : first], values[first:second], values[second:]

        def given(*values: Poly) -> Sequence[Bool]:
            common, sums, own, heads = apart(values)
            there = [fact for n in heads for fact in (*counted(n), nobody(n, sums))]
            known = self.each or self.of
            return [*there, *self.of(*common, *sums, *heads), *known(*common, *own, *[ONE for _ in heads])]

        def then(*values: Poly) -> Bool:
            common, sums, own, heads = apart(values)
            more = [s + x for s, x in zip(sums, own, strict=True)]
            return conj(self.of(*common, *more, *[n + ONE for n in heads]))

        return Law(self.name, self.text, self.common + 2 * self.summed + self.counts, given, then)


# ---------------------------------------------------------------- what is said, wherever it is said


def counted(heads: Poly) -> tuple[Bool, Bool]:
    """There is nobody, or at least one."""
    return at_least_zero(heads), disj((is_zero(heads), at_least_zero(heads - ONE)))


def nobody(heads: Poly, sums: Iterable[Poly]) -> Bool:
    """Nobody has no sums."""
    return implies(is_zero(heads), conj(is_zero(each) for each in sums))


def rate_within(rate: Poly, most: Poly) -> Facts:
    return at_least_zero(rate), at_least_zero(most - rate)


def at_the_rate(rate: Poly, share: Poly, cap: Poly, weight: Poly) -> Bool:
    """Of one member in a proportional tier: the rate of his weight, or his cap."""
    return implies(positive(weight), is_minimum(share, cap, rate * weight))


def in_turn(threshold: Poly, key: Poly, share: Poly, cap: Poly, lowest: bool = False) -> Facts:
    """Of one member in a ranked tier: who is better than the threshold gives all he may, who is worse nothing."""
    better, worse = positive(key - threshold), positive(threshold - key)
    if lowest:
        better, worse = worse, better
    return implies(better, is_zero(cap - share)), implies(worse, is_zero(share))


def not_both_in_part(share: Poly, cap: Poly, other: Poly, others_cap: Poly) -> Bool:
    """Of two members in a tier that empties one after the other."""
    parts = (positive(share), positive(cap - share), positive(other), positive(others_cap - other))
    return negate(conj(parts))


def one_rounded(step: Poly, lost: Poly) -> Facts:
    """Of one member, or the venue."""
    return at_least_zero(lost), positive(step - lost)


# ---------------------------------------------------------------- of sums

NOT_NEGATIVE = Sum(
    "signs add up", "what is at least zero of each member is at least zero of their sum",
    0, 1, lambda x: (at_least_zero(x),),
)  # fmt: skip
NOTHING = Sum(
    "nothing adds up to nothing", "what is zero of each member is zero of their sum",
    0, 1, lambda x: (is_zero(x),),
)  # fmt: skip
ABOVE_ZERO = Sum(
    "strict signs add up", "what is above zero of each member is above zero of the sum, unless there is nobody",
    0, 1, lambda x, n: (disj((is_zero(n), positive(x))),), counts=True, each=lambda x, n: (positive(x),),
)  # fmt: skip
COUNTED = Sum(
    "some member, if any", "a class of nobody has no sums, and a class with members has at least one",
    0, 1, lambda x, n: (*counted(n), nobody(n, (x,))), counts=True, each=lambda x, n: (),
)  # fmt: skip
WITHIN = Sum(
    "shares stay within caps", "together a class gives no less than nothing and no more than all its caps",
    0, 2, lambda share, cap: (at_least_zero(share), at_least_zero(cap - share)),
)  # fmt: skip
AT_THE_RATE = Sum(
    "a common rate adds up", "where everybody gives the same rate of his weight, the class gives that rate of its weight",
    1, 2, lambda rate, share, weight: (is_zero(share - rate * weight),),
)  # fmt: skip
ROUNDED = Sum(
    "rounding down loses less than a step each", "so a class of n loses no more than n steps",
    1, 1, lambda step, lost, n: (at_least_zero(lost), at_least_zero(step * n - lost)), counts=True,
    each=lambda step, lost, n: one_rounded(step, lost),
)  # fmt: skip
SUMS = (NOT_NEGATIVE, NOTHING, ABOVE_ZERO, COUNTED, WITHIN, AT_THE_RATE, ROUNDED)


# ---------------------------------------------------------------- of sharing out, and of what is done to all

LAWS = (
    Law(
        "linear changes add up",
        "a change that is linear in a member's own fields changes the sums as it changes a member",
        7,
        lambda a, c, s, n, x, after_s, after_x: [is_zero(after_s - a * s - c * n), is_zero(after_x - a * x - c)],
        lambda a, c, s, n, x, after_s, after_x: is_zero(after_s + after_x - a * (s + x) - c * (n + ONE)),
    ),
    Law(
        "the larger of two splits by class",
        "where all of a class are on one side, the sum of max(e, 0) is the sum of e, or 0",
        4,
        lambda s, top, x, up: [
            disj(
                (
                    conj((at_least_zero(s), is_zero(top - s), at_least_zero(x))),
                    conj((at_least_zero(-s), is_zero(top), at_least_zero(-x))),
                )
            ),
            is_zero(up - either(positive(x), x, ZERO)),
        ],
        lambda s, top, x, up: disj((is_zero(top + up - s - x), is_zero(top + up))),
    ),
    Law(
        "caps that are the weights times something stop nobody",
        "min(k * w, r * w) is min(k, r) * w, and the smaller rate is between nothing and k",
        3,
        lambda k, rate, w: [at_least_zero(k), at_least_zero(rate), at_least_zero(w)],
        lambda k, rate, w: conj(
            (is_zero(minimum(k * w, rate * w) - minimum(k, rate) * w), *rate_within(minimum(k, rate), k))
        ),
    ),
    Law(
        "a higher rate takes no less from anybody",
        "so what a proportional tier takes does not fall as its rate rises",
        4,
        lambda cap, w, low, high: [at_least_zero(w), at_least_zero(cap), at_least_zero(high - low)],
        lambda cap, w, low, high: at_least_zero(minimum(cap, high * w) - minimum(cap, low * w)),
    ),
    Law(
        "alike means alike",
        "equal caps and equal weights give equal shares (and no weight, none)",
        7,
        lambda rate, cap, w, x, cap2, w2, y: [
            is_zero(cap - cap2), is_zero(w - w2), at_the_rate(rate, x, cap, w), at_the_rate(rate, y, cap2, w2),
            disj((positive(w), is_zero(x))), disj((positive(w2), is_zero(y))),
        ],
        lambda rate, cap, w, x, cap2, w2, y: is_zero(x - y),
    ),
    Law(
        "when all caps are needed, everybody is at the cap",
        "shares within caps whose total is the total of the caps",
        4,
        lambda gives, cap, x, c: [*WITHIN.of(gives, cap), *WITHIN.of(x, c), is_zero(gives + x - cap - c)],
        lambda gives, cap, x, c: conj((is_zero(gives - cap), is_zero(x - c))),
    ),
    Law(
        "when nothing is asked, nobody is touched",
        "shares of at least nothing whose total is nothing",
        2,
        lambda gives, x: [*NOT_NEGATIVE.of(gives), *NOT_NEGATIVE.of(x), is_zero(gives + x)],
        lambda gives, x: conj((is_zero(gives), is_zero(x))),
    ),
    Law(
        "one after the other",
        "emptying the better first: a threshold separates who gives all from who gives nothing",
        7,
        lambda threshold, k1, x1, c1, k2, x2, c2: [
            positive(k1 - k2), *in_turn(threshold, k1, x1, c1), *in_turn(threshold, k2, x2, c2), positive(x2),
        ],
        lambda threshold, k1, x1, c1, k2, x2, c2: is_zero(c1 - x1),
    ),
    Law(
        "only one gives in part",
        "who comes later, with others between, finds nothing left if somebody before kept something",
        6,
        lambda left, x1, c1, between, x2, c2: [
            *NOT_NEGATIVE.of(c1), *NOT_NEGATIVE.of(c2), *NOT_NEGATIVE.of(between), is_minimum(x1, c1, left),
            *NOT_NEGATIVE.of(left - x1 - between), is_minimum(x2, c2, left - x1 - between),
        ],
        lambda left, x1, c1, between, x2, c2: not_both_in_part(x1, c1, x2, c2),
    ),
    Law(
        "whoever gives nothing changes nothing",
        "a body linear in the share may run for those who give nothing",
        3,
        lambda a, b, x: [is_zero(x)],
        lambda a, b, x: is_zero(a + b * x - a),
    ),
)  # fmt: skip
