"""Who gives how much in a `collect`, for any number of members: the laws of LANGUAGE section 5, step 2.

The plain laws (nobody gives more than his cap, together they give the smaller of what is asked and of all caps) are linear and
hold for every policy.  The policy's own laws are kept apart: most proofs do not need them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import z3

from specforge.algebra import laws
from specforge.algebra import polynomial as po
from specforge.algebra.classes import HEAD, PLAIN, POLICY, SHARE, NotAdditive, Opaque, Own, Virtual
from specforge.algebra.crowd import CrowdAlgebra
from specforge.algebra.polynomial import Poly, is_minimum, is_zero, minimum, positive
from specforge.algebra.symbolic import conj
from specforge.core import ir

Bool = Any


def share_out(
    algebra: CrowdAlgebra,
    tier: ir.Tier,
    asked: Poly,
    members: Sequence[Any],
    caps: Sequence[Any],
    keys: Sequence[Any],
    step: Any,
) -> list[Any]:
    if tier.party is None and tier.span in algebra.forgotten:
        return [algebra.fresh("any share")]
    if tier.party is None:
        return [_stepped(algebra, tier, minimum(asked, caps[0]), caps[0], step)]
    number = algebra.tiers
    algebra.tiers += 1
    for cap in caps:
        if isinstance(cap, Opaque):
            raise NotAdditive(cap.reason, tier.span)
    caps = [algebra.lift(cap, m) if isinstance(m, Virtual) else cap for m, cap in zip(members, caps, strict=True)]
    if tier.policy is ir.Policy.PROPORTION:
        caps = _weighted(algebra, tier, members, caps, keys)
    shares, given = [], po.ZERO
    everything = algebra.fresh("caps")
    algebra.fact(PLAIN, is_zero(everything - _sum(caps)))
    total = algebra.fresh("given")
    algebra.fact(PLAIN, is_minimum(total, asked, everything))
    for member, cap in zip(members, caps, strict=True):
        share = _share(algebra, number, member, cap)
        shares.append(share)
        given = given + (share.total() if isinstance(share, Own) else share)
    algebra.fact(PLAIN, is_zero(given - total))
    _policy(algebra, tier, members, caps, keys, shares)
    return [_stepped(algebra, tier, share, cap, step) for share, cap in zip(shares, caps, strict=True)]


def _sum(values: Sequence[Any]) -> Poly:
    result = po.ZERO
    for each in values:
        result = result + (each.total() if isinstance(each, Own) else each)
    return result


def _share(algebra: CrowdAlgebra, number: int, member: Any, cap: Any) -> Any:
    """An unknown between 0 and the cap."""
    if isinstance(member, Virtual):
        if not cap.parts:
            return Own(member, {})
        atom = ("share", number)
        algebra.own_signs.add((member.party, atom))
        share = Own(member, {atom: po.ONE})
        algebra.fact(PLAIN, *laws.WITHIN.of(share.total(), cap.total()))
        return share
    if cap.is_zero():
        return cap
    share = Poly.atom(z3.Real(f"{SHARE}{number}!{member}"))
    algebra.known_signs.add(next(iter(share.parts))[0].id)
    not_negative, capped = laws.WITHIN.of(share, cap)
    algebra.facts[PLAIN].append(not_negative)
    algebra.fact(PLAIN, capped)
    return share


def _weighted(
    algebra: CrowdAlgebra, tier: ir.Tier, members: Sequence[Any], caps: Sequence[Any], keys: Sequence[Any]
) -> list[Any]:
    """In proportion: a negative weight is a defect, and who has no weight has no cap."""
    result = []
    for member, cap, key in zip(members, caps, keys, strict=True):
        if isinstance(key, Opaque):
            result.append(cap)  # some cap, some weight: nothing more is said of this class
            continue
        weight = algebra.lift(key, member) if isinstance(member, Virtual) else key
        with algebra.of_crowd(member):
            algebra.demand(algebra.apply(ir.Operator.LE, po.ZERO, weight), ir.Defect.DIVISION, tier.span)
        if algebra.kappa is not None:  # the cap is the weight times something: no weight, no cap
            result.append(cap)
        elif isinstance(member, Virtual):
            if not cap.parts:
                result.append(cap)
            else:
                has = algebra.decide(algebra.apply(ir.Operator.LT, po.ZERO, weight))
                result.append(cap if has is True else Own(member, {}) if has is False else algebra.merge(has, cap, po.ZERO))
        else:
            result.append(po.either(positive(cast(po.Poly, weight)), cap, po.ZERO))
    return result


def _policy(
    algebra: CrowdAlgebra,
    tier: ir.Tier,
    members: Sequence[Any],
    caps: Sequence[Any],
    keys: Sequence[Any],
    shares: Sequence[Any],
) -> None:
    named = [
        (cap, key, share)
        for member, cap, key, share in zip(members, caps, keys or [None] * len(caps), shares, strict=True)
        if not isinstance(member, Virtual)
    ]
    if tier.policy is ir.Policy.PROPORTION:
        _proportion(algebra, members, caps, keys, shares)
        return
    for i, (cap, _, share) in enumerate(named):
        for others_cap, _, other in named[:i]:
            algebra.fact(POLICY, laws.not_both_in_part(share, cap, other, others_cap))
    if tier.policy is ir.Policy.ANY:
        return
    threshold = algebra.fresh("threshold")
    for cap, key, share in named:
        if isinstance(key, Poly):
            algebra.fact(POLICY, *laws.in_turn(threshold, key, share, cap, tier.policy is ir.Policy.LOWEST))


def _proportion(
    algebra: CrowdAlgebra, members: Sequence[Any], caps: Sequence[Any], keys: Sequence[Any], shares: Sequence[Any]
) -> None:
    """One rate for all: share = min(cap, rate * weight); where every cap is kappa times the weight, nobody is ever stopped."""
    rate = algebra.fresh("rate")
    kappa: Poly | None = algebra.kappa
    algebra.fact(POLICY, *(laws.NOT_NEGATIVE.of(rate) if kappa is None else laws.rate_within(rate, kappa)))
    for member, cap, key, share in zip(members, caps, keys, shares, strict=True):
        if isinstance(member, Virtual):
            if kappa is not None and share.parts and not isinstance(key, Opaque):
                weight = algebra.lift(key, member)
                algebra.fact(POLICY, *laws.AT_THE_RATE.of(rate, share.total(), weight.total()))
        elif not share.is_zero():
            if kappa is not None:
                algebra.fact(POLICY, *laws.AT_THE_RATE.of(rate, share, key))
            else:
                algebra.fact(POLICY, laws.at_the_rate(rate, share, cap, key))


def _stepped(algebra: CrowdAlgebra, tier: ir.Tier, share: Any, cap: Any, step: Any) -> Any:
    """Rounded down to whole steps: less than one step each is lost."""
    if step is None:
        return share
    if isinstance(step, Own | Opaque):
        raise NotAdditive("the step is a member's own", tier.span)
    algebra.demand(positive(step), ir.Defect.DIVISION, tier.span)
    if isinstance(share, Own):
        if not share.parts:
            return share
        ((atom, _),) = share.parts.items()
        after = ("share", *atom[1:], "rounded")
        algebra.own_signs.add((share.of.party, after))
        rounded = Own(share.of, {after: po.ONE})
        lost = share.total() - rounded.total()
        algebra.fact(PLAIN, *laws.NOT_NEGATIVE.of(rounded.total()), *laws.ROUNDED.of(step, lost, share.of.sum(HEAD)))
        return rounded
    if share.is_zero():
        return share
    rounded = algebra.fresh("rounded")
    algebra.fact(PLAIN, conj((*laws.NOT_NEGATIVE.of(rounded), *laws.one_rounded(step, share - rounded))))
    return rounded
