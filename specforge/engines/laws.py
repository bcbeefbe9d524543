"""The laws that let a class of members stand as one member: what the any-number prover relies on beyond arithmetic.

Each law is about a class (with sums S and head count N) and one more member (with values i): what holds of the class and of the
member holds of the class with the member in it.  That is the step of an induction over the members; its base is the class of
nobody, all of whose sums are 0.  The tests have a solver prove each of them, and that each is about something.

On paper only: a sum over finitely many members does not depend on their order; the common rate of a proportional tier exists
(what it yields is 0 at 0, grows continuously, and reaches all caps), and so does the threshold of a ranked one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from specforge.records import frozen

Bool = Any
Number = Any


@frozen
class Law:
    """`given` and `then` make formulas from unknowns, of which there are `unknowns`."""

    name: str
    text: str
    unknowns: int
    given: Callable[..., list[Bool]]
    then: Callable[..., Bool]
    base: Callable[..., Bool] | None = None  # of nobody; None: there is nothing to show


def least(a: Number, b: Number, choose: Callable[[Bool, Number, Number], Number]) -> Number:
    return choose(a <= b, a, b)


def laws(choose: Callable[[Bool, Number, Number], Number], both: Callable[..., Bool], either: Callable[..., Bool]) -> list[Law]:
    """`choose`, `both`, `either`: the solver's if, and, or."""
    return [
        Law(
            "signs add up",
            "what is at least zero of each member is at least zero of their sum",
            4,
            lambda a, b, k, x: [a * k + b >= 0, a * x >= 0],
            lambda a, b, k, x: a * (k + x) + b >= 0,
            lambda a, b, k, x: a * 0 >= 0,
        ),
        Law(
            "strict signs add up",
            "what is above zero of each member is above zero of the sum, unless there is nobody",
            4,
            lambda s, n, x, one: [either(both(n == 0, s == 0), s > 0), x > 0, n >= 0, one == 1],
            lambda s, n, x, one: both(s + x > 0, n + one > 0),
        ),
        Law(
            "linear changes add up",
            "a change that is linear in a member's own fields changes the sums as it changes a member",
            7,
            lambda a, c, s, n, x, after_s, after_x: [after_s == a * s + c * n, after_x == a * x + c],
            lambda a, c, s, n, x, after_s, after_x: after_s + after_x == a * (s + x) + c * (n + 1),
            lambda a, c, s, n, x, after_s, after_x: a * 0 + c * 0 == 0,
        ),
        Law(
            "the larger of two splits by class",
            "where all of a class are on one side, the sum of max(e, 0) is the sum of e, or 0",
            4,
            lambda s, top, x, up: [
                either(both(s >= 0, top == s, x >= 0), both(s <= 0, top == 0, x <= 0)),
                up == choose(x > 0, x, 0),
            ],
            lambda s, top, x, up: either(top + up == s + x, top + up == 0),
        ),
        Law(
            "shares stay within caps",
            "together a class gives no less than nothing and no more than all its caps",
            4,
            lambda gives, cap, x, c: [gives >= 0, gives <= cap, x >= 0, x <= c],
            lambda gives, cap, x, c: both(gives + x >= 0, gives + x <= cap + c),
        ),
        Law(
            "a common rate adds up",
            "where everybody gives the same rate of his weight, the class gives that rate of its weight",
            5,
            lambda rate, gives, weight, x, w: [gives == rate * weight, x == rate * w],
            lambda rate, gives, weight, x, w: gives + x == rate * (weight + w),
        ),
        Law(
            "caps that are the weights times something stop nobody",
            "min(k * w, r * w) is min(k, r) * w, and the smaller rate is between nothing and k",
            3,
            lambda k, rate, w: [k >= 0, rate >= 0, w >= 0],
            lambda k, rate, w: both(
                least(k * w, rate * w, choose) == least(k, rate, choose) * w,
                least(k, rate, choose) >= 0,
                least(k, rate, choose) <= k,
            ),
        ),
        Law(
            "a higher rate takes no less from anybody",
            "so what a proportional tier takes does not fall as its rate rises",
            4,
            lambda cap, w, low, high: [w >= 0, cap >= 0, low <= high],
            lambda cap, w, low, high: least(cap, low * w, choose) <= least(cap, high * w, choose),
        ),
        Law(
            "alike means alike",
            "equal caps and equal weights give equal shares",
            6,
            lambda rate, cap, w, cap2, w2, x: [cap == cap2, w == w2, x == least(cap, rate * w, choose)],
            lambda rate, cap, w, cap2, w2, x: x == least(cap2, rate * w2, choose),
        ),
        Law(
            "when all caps are needed, everybody is at the cap",
            "shares within caps whose total is the total of the caps",
            4,
            lambda gives, cap, x, c: [gives <= cap, x <= c, gives + x == cap + c],
            lambda gives, cap, x, c: both(gives == cap, x == c),
        ),
        Law(
            "when nothing is asked, nobody is touched",
            "shares of at least nothing whose total is nothing",
            2,
            lambda gives, x: [gives >= 0, x >= 0, gives + x == 0],
            lambda gives, x: both(gives == 0, x == 0),
        ),
        Law(
            "one after the other",
            "emptying the better first: a threshold separates who gives all from who gives nothing",
            7,
            lambda kappa, k1, x1, c1, k2, x2, c2: [
                k1 > k2,
                either(kappa != k1, both(x1 >= 0, x1 <= c1)),
                either(k1 <= kappa, x1 == c1),
                either(k2 >= kappa, x2 == 0),
                x2 > 0,
            ],
            lambda kappa, k1, x1, c1, k2, x2, c2: x1 == c1,
        ),
        Law(
            "rounding down loses less than a step each",
            "so a class of n loses less than n steps",
            6,
            lambda step, lost, n, x, whole, one: [
                step > 0,
                lost >= 0,
                lost <= step * n,
                x - whole >= 0,
                x - whole < step,
                one == 1,
            ],
            lambda step, lost, n, x, whole, one: both(lost + x - whole >= 0, lost + x - whole <= step * (n + one)),
        ),
        Law(
            "whoever gives nothing changes nothing",
            "a body linear in the share may run for those who give nothing",
            3,
            lambda a, b, x: [x == 0],
            lambda a, b, x: a + b * x == a,
        ),
        Law(
            "some member, if any",
            "a class of nobody has no sums, and a class with members has at least one",
            3,
            lambda n, s, x: [either(both(n == 0, s == 0), n >= 1)],
            lambda n, s, x: n + 1 >= 1,
        ),
    ]
