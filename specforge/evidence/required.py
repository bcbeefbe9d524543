"""Which steps a proof by induction must consist of, worked out from a short table of the rules alone; for the proof that a
defect is never met, also from a table of the sentences that may meet it.

It shares nothing with the prover: `specforge certify` checks the prover's own list against it, and `specforge verify` that no
step has been left out of a certificate.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from specforge.records import frozen

Json = dict[str, Any]
CLAIM = ""  # stands for the claim where a lemma could be named


@frozen(order=True)
class Step:
    """One thing to be shown.  `shows`: the name of a lemma, a measure or a place, or CLAIM; `transition`: the start, a rest, or
    what happens; `members`: how many further members stand for any ("1 Trader")."""

    shows: str
    transition: str
    members: str


@frozen
class Transition:
    kind: str  # "start", "rest", "action" or "duty"
    rule: str
    name: str


def steps(manifest: Json) -> set[Step]:
    """Everything to be shown.  Each lemma: at the start, and after whatever happens.  The claim: wherever it is judged."""
    parties = {each["name"]: each for each in manifest["rules"]["parties"]}
    happens = transitions(manifest["rules"])
    result: set[Step] = set()
    for lemma in manifest["lemmas"]:
        for each in happens:
            if each.kind != "rest":
                result |= {Step(lemma["name"], each.name, members) for members in witnesses(lemma["members"], parties)}
    for name in judged(manifest, happens):
        result |= {Step(CLAIM, name, members) for members in witnesses(manifest["claim"]["members"], parties)}
    return result | settling(manifest, happens) | watched(manifest, happens)


def watched(manifest: Json, happens: Sequence[Transition]) -> set[Step]:
    """That a defect is never met: each sentence that may meet it, whenever its rule acts."""
    parties = {each["name"]: each for each in manifest["rules"]["parties"]}
    places = {each["rule"]: each for each in manifest["places"]}
    result: set[Step] = set()
    for each in happens:
        if each.rule in places:
            members = list(witnesses(places[each.rule]["members"], parties))
            result |= {Step(place, each.name, count) for place in places[each.rule]["at"] for count in members}
    return result


def falls(measure: str) -> str:
    """What the steps show in which a measure falls."""
    return f"{measure} falls"


def settling(manifest: Json, happens: Sequence[Transition]) -> set[Step]:
    """That every settling ends.  Each measure: it does not rise when a duty acts that no measure before it has made fall, and
    it falls when one acts of which that is said."""
    parties = {each["name"]: each for each in manifest["rules"]["parties"]}
    result: set[Step] = set()
    for measure, left in zip(manifest["measures"], still_left(manifest), strict=False):
        for each in happens:
            if each.kind == "duty" and each.rule in left:
                result |= {Step(measure["name"], each.name, members) for members in witnesses(measure["members"], parties)}
            if each.kind == "duty" and each.rule in measure["falls"]:
                members = witnesses(measure["falls"][each.rule], parties)
                result |= {Step(falls(measure["name"]), each.name, count) for count in members}
    return result


def still_left(manifest: Json) -> list[set[str]]:
    """The duties that may still act for ever: before the first measure (all but those that act once), and after each."""
    left = {each["name"] for each in manifest["rules"]["duties"] if not each["once"]}
    result = [left]
    for measure in manifest["measures"]:
        left = left - set(measure["falls"])
        result.append(left)
    return result


def transitions(rules: Json) -> list[Transition]:
    """The start, a rest, and every rule with every way in which the members it names may be the same; all of it for each value
    of the parameters that are members."""
    parties = {each["name"]: each for each in rules["parties"]}
    choices = [[f" [{each['parameter']}={k}]" for k in range(each["values"])] for each in rules["choices"]]
    result: list[Transition] = []
    for suffix in ("".join(each) for each in product(*choices)):
        result += [Transition("start", "", f"start{suffix}"), Transition("rest", "", f"rest{suffix}")]
        for kind in ("action", "duty"):
            for rule in rules["actions" if kind == "action" else "duties"]:
                result += [
                    Transition(kind, rule["name"], f"{kind} {rule['name']}({', '.join(who)}){suffix}")
                    for who in coincidences(rule["members"], parties)
                ]
    return result


def coincidences(params: Sequence[Json], parties: Mapping[str, Json]) -> Iterator[list[str]]:
    """Every way to say who is who: each is a member with a name of his own, somebody named before, or somebody new."""
    known = {name: each["members"] for name, each in parties.items()}

    def choose(left: Sequence[Json], known: dict[str, int]) -> Iterator[list[str]]:
        if not left:
            yield []
            return
        name, party = left[0]["name"], left[0]["party"]
        new = 1 if parties[party]["open"] else 0
        for index in range(known[party] + new):
            for rest in choose(left[1:], {**known, party: max(known[party], index + new)}):
                yield [f"{name}={index}", *rest]

    return choose(params, known)


def judged(manifest: Json, happens: Sequence[Transition]) -> list[str]:
    """The transitions at which the claim is judged."""
    moment = manifest["claim"]["moment"]
    at, rule = moment["at"], moment["rule"]
    if at in ("each statement", "each settling"):  # what is shown has names of its own
        return []
    if at == "rest":  # an action's claim, too, if duties may act before it is judged
        return [each.name for each in happens if each.kind == "rest"]
    if at == "every step":
        return [each.name for each in happens if each.kind != "start"]
    then = f" then {moment['then']}" if moment["then"] else ""
    return [_after(each.name, then) for each in happens if (each.kind, each.rule) == (at, rule)]


def _after(name: str, then: str) -> str:
    head, bracket, tail = name.partition(" [")
    return head + then + bracket + tail


def witnesses(most: Mapping[str, int], parties: Mapping[str, Json]) -> Iterator[str]:
    """Each number of further members that may stand for any, up to the most a statement speaks of."""
    names = [name for name in most if parties[name]["open"]]
    for counts in product(*(range(most[name] + 1) for name in names)):
        yield ", ".join(f"{count} {name}" for name, count in zip(names, counts, strict=True) if count)
