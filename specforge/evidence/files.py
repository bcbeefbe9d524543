"""Certificates on disk: a directory for each proved claim, with its manifest and one file for each step; and what is wrong with
one that was changed, or from which something is missing.

    DIR/index.json                              every certificate, with the hash of its manifest
    DIR/01_bitmex/conservation/manifest.json    what is proved, of which text, by which tool; every step, with its file's hash
    DIR/01_bitmex/conservation/000.smt2 …       the steps themselves

Only the files are read here: nothing of the language, the prover or its formulas is needed.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import field

from specforge.evidence.required import CLAIM, Step, falls, steps, still_left
from specforge.evidence.smtlib import mistake
from specforge.records import frozen

Json = dict[str, Any]
INDEX, MANIFEST = "index.json", "manifest.json"
SCHEMA, INDEX_SCHEMA = "specforge/certificate/2", "specforge/certificates/2"
FILE = re.compile(r"[0-9]{3,6}\.smt2")
FOLDER = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*")
MOST = 8  # members that one statement or rule speaks of

# What a manifest looks like; the published form is apps/schemas/certificate.json.
COUNTS = {str: int}
MEMBERS = [{"name": str, "party": str}]
SHAPE: Json = {
    "schema": str,
    "tool": {"name": str, "version": str, "source": str, "solvers": {str: str}},
    "rulebook": {"name": str, "path": str, "sha256": str, "used": [{"path": str, "sha256": str}]},
    "claim": {"kind": str, "name": str, "text": str, "moment": {"at": str, "rule": str, "then": str}, "members": COUNTS},
    "given": [{"text": str, "assumption": (str, None)}],
    "verdict": str,
    "members": str,
    "steps": str,
    "premises": [str],
    "lemmas": [{"name": str, "text": str, "why": str, "members": COUNTS}],
    "measures": [{"name": str, "text": str, "members": COUNTS, "falls": {str: COUNTS}}],
    "places": [{"rule": str, "members": COUNTS, "at": [str]}],
    "rules": {
        "parties": [{"name": str, "open": bool, "members": int}],
        "choices": [{"parameter": str, "values": int}],
        "actions": [{"name": str, "members": MEMBERS}],
        "duties": [{"name": str, "members": MEMBERS, "once": bool}],
        "called": [str],
    },
    "obligations": [
        {
            "shows": str, "transition": str, "members": str, "lemmas": [str], "assumes": [str],
            "decided": str, "why": str, "file": (str, None), "sha256": (str, None),
        }
    ],
}  # fmt: skip
ENTRY = {"directory": str, "rulebook": str, "kind": str, "claim": str, "given": [str], "sha256": str}
UNWRITTEN = {"rulebook": str, "kind": str, "name": str, "given": [str], "why": str}
INDEX_SHAPE: Json = {"schema": str, "certificates": [ENTRY], "unwritten": [UNWRITTEN]}
# What is proved: a claim, a free check, that a rule never happens, that no run comes to a state, or that a claim is never
# judged (or its condition never met).
KINDS = {
    "claim": "{}", "check": "{} (free check)", "rule": "{} never happens", "reach": "{} is never reached",
    "condition": "condition of {} never met",
}  # fmt: skip


@frozen
class Problem:
    """`file`: which one, as a path inside the directory; `what`: what is wrong with it."""

    file: str
    what: str


@frozen
class Certificate:
    """One proof as it is on disk.  `texts`: the files of its steps, by name."""

    directory: str
    manifest: Json
    texts: dict[str, str] = field(repr=False)
    problems: tuple[Problem, ...] = ()


def sha256(content: bytes | str) -> str:
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()


def as_text(document: Json) -> str:
    return json.dumps(document, indent=1, ensure_ascii=True) + "\n"


# ---------------------------------------------------------------- writing


def write(folder: Path, certificates: Sequence[Certificate], unwritten: Sequence[Json] = ()) -> None:
    """Writes them all, in the place of those that were there.  `unwritten`: what is proved without a certificate."""
    clear(folder)
    entries: list[Json] = []
    for each in certificates:
        inside = folder / each.directory
        inside.mkdir(parents=True, exist_ok=True)
        for name, text in each.texts.items():
            (inside / name).write_text(text, encoding="utf-8", newline="\n")
        manifest = as_text(each.manifest)
        (inside / MANIFEST).write_text(manifest, encoding="utf-8", newline="\n")
        given = [assumed["text"] for assumed in each.manifest["given"]]
        entries.append(
            {
                "directory": each.directory,
                "rulebook": each.manifest["rulebook"]["path"],
                "kind": each.manifest["claim"]["kind"],
                "claim": each.manifest["claim"]["name"],
                "given": given,
                "sha256": sha256(manifest),
            }
        )
    folder.mkdir(parents=True, exist_ok=True)
    index = as_text({"schema": INDEX_SCHEMA, "certificates": entries, "unwritten": list(unwritten)})
    (folder / INDEX).write_text(index, encoding="utf-8", newline="\n")


def may_write(folder: Path) -> bool:
    """The directory is new, empty, or holds certificates and nothing else."""
    if not folder.exists():
        return True
    if not folder.is_dir():
        return False
    files = [each.relative_to(folder) for each in folder.rglob("*") if not each.is_dir()]
    ours = all(str(each) == INDEX or each.name == MANIFEST or FILE.fullmatch(each.name) for each in files)
    return not files or (ours and Path(INDEX) in files)


def clear(folder: Path) -> None:
    """Removes the certificates of an earlier time.  INVARIANT: nothing else is in the directory (`may_write`)."""
    assert may_write(folder)
    inside = sorted(folder.rglob("*"), reverse=True) if folder.exists() else []
    for each in inside:
        each.rmdir() if each.is_dir() and not each.is_symlink() else each.unlink()


# ---------------------------------------------------------------- reading


@frozen
class Found:
    """What is in a directory: every certificate, each with what is wrong with it; what is wrong with the directory as a whole;
    and what is proved without a certificate."""

    certificates: list[Certificate]
    problems: list[Problem]
    unwritten: list[Json]


def read(folder: Path) -> Found:
    if (folder / INDEX).is_file():
        return _indexed(folder)
    manifest, problems = _json(folder, MANIFEST, SHAPE, SCHEMA)
    return Found([_certificate(folder, "", manifest)] if manifest is not None else [], problems, [])


def is_certificate(folder: Path) -> bool:
    return (folder / INDEX).is_file() or (folder / MANIFEST).is_file()


def _indexed(folder: Path) -> Found:
    index, problems = _json(folder, INDEX, INDEX_SHAPE, INDEX_SCHEMA)
    if index is None:
        return Found([], problems, [])
    found: list[Certificate] = []
    known = {INDEX}
    for entry in index["certificates"]:
        directory = entry["directory"]
        if not FOLDER.fullmatch(directory):
            problems.append(Problem(INDEX, f"`{directory}` is not the name of a directory of certificates"))
            continue
        name = f"{directory}/{MANIFEST}"
        manifest, wrong = _json(folder, name, SHAPE, SCHEMA)
        problems += wrong
        if manifest is None:
            known |= {str(each.relative_to(folder)) for each in _files(folder / directory)}
            continue
        if sha256((folder / name).read_bytes()) != entry["sha256"]:
            problems.append(Problem(name, f"is not the file that {INDEX} speaks of: its hash differs"))
        claim, given = manifest["claim"], [each["text"] for each in manifest["given"]]
        said = (manifest["rulebook"]["path"], claim["kind"], claim["name"], given)
        if said != (entry["rulebook"], entry["kind"], entry["claim"], entry["given"]):
            problems.append(Problem(name, f"is about something else than {INDEX} says"))
        found.append(_certificate(folder, directory, manifest))
        known |= {str(each.relative_to(folder)) for each in _files(folder / directory)}
    for each in _files(folder):
        if str(each.relative_to(folder)) not in known:
            problems.append(Problem(str(each.relative_to(folder)), "belongs to no certificate in the index"))
    for each in index["unwritten"]:
        if each["kind"] not in KINDS:
            problems.append(Problem(INDEX, f"`{each['kind']}` is nothing that is proved"))
    return Found(found, problems, index["unwritten"])


def _files(folder: Path) -> Iterator[Path]:
    return (each for each in sorted(folder.rglob("*")) if not each.is_dir() or each.is_symlink())


def _json(folder: Path, name: str, shape: Json, schema: str) -> tuple[Json | None, list[Problem]]:
    try:
        document = json.loads((folder / name).read_bytes())
    except OSError:
        return None, [Problem(name, "is missing")]
    except (ValueError, RecursionError):
        return None, [Problem(name, "is not JSON")]
    wrong = unlike(document, shape)
    if not wrong and document["schema"] != schema:
        wrong = f"its schema is `{document['schema']}`, not `{schema}`"
    return (None, [Problem(name, wrong)]) if wrong else (document, [])


def unlike(value: Any, shape: Any, where: str = "it") -> str:
    """How the value differs from the shape; "" if it does not."""
    if isinstance(shape, tuple):
        fits = any(not unlike(value, each, where) for each in shape)
        return "" if fits else f"{where} is not what its schema says"
    if isinstance(shape, list):
        if not isinstance(value, list):
            return f"{where} is not a list"
        return next((wrong for each in value if (wrong := unlike(each, shape[0], f"an entry of {where}"))), "")
    if isinstance(shape, Mapping):
        if not isinstance(value, dict):
            return f"{where} is not an object"
        if str in shape:
            return next((wrong for key, each in value.items() if (wrong := unlike(each, shape[str], f"`{key}`"))), "")
        if set(value) != set(shape):
            return f"{where} has other fields than its schema says: {', '.join(sorted(set(value) ^ set(shape)))}"
        return next((wrong for key, each in value.items() if (wrong := unlike(each, shape[key], f"`{key}`"))), "")
    if shape is None:
        return "" if value is None else f"{where} is not null"
    if shape is int and not (type(value) is int and 0 <= value <= 1000):
        return f"{where} is not a small number"
    return "" if type(value) is shape else f"{where} is not what its schema says"


def _certificate(folder: Path, directory: str, manifest: Json) -> Certificate:
    inside = folder / directory
    problems: list[Problem] = []
    prefix = f"{directory}/" if directory else ""
    texts: dict[str, str] = {}
    for each in manifest["obligations"]:
        name = each["file"]
        if name is None:
            continue
        if not FILE.fullmatch(name) or name in texts:
            problems.append(Problem(prefix + MANIFEST, f"`{name}` is not the name of one step"))
            continue
        try:
            content = (inside / name).read_bytes()
            texts[name] = content.decode("utf-8")
        except OSError:
            problems.append(Problem(prefix + name, "is missing"))
            continue
        except UnicodeDecodeError:
            problems.append(Problem(prefix + name, "is not a text"))
            continue
        if sha256(content) != each["sha256"]:
            problems.append(Problem(prefix + name, "was changed: its hash is not the one in the manifest"))
        elif wrong := mistake(texts[name]):
            problems.append(Problem(prefix + name, wrong))
    named = {MANIFEST, *(each["file"] for each in manifest["obligations"])}
    for path in _files(inside):
        if str(path.relative_to(inside)) not in named:
            problems.append(Problem(prefix + str(path.relative_to(inside)), "is not named in the manifest"))
    problems += [Problem(prefix + MANIFEST, what) for what in gaps(manifest)]
    return Certificate(directory, manifest, texts, tuple(problems))


# ---------------------------------------------------------------- is it a whole proof?


def gaps(manifest: Json) -> list[str]:
    """What the manifest lacks to be a whole proof, going by its own table of rules; empty if nothing."""
    if wrong := _table(manifest):
        return [wrong]
    listed = [Step(each["shows"], each["transition"], each["members"]) for each in manifest["obligations"]]
    needed, count = steps(manifest), Counter(listed)
    numbers: dict[Step, set[int]] = {}
    for each in count:
        whole, number = _numbered(each)
        numbers.setdefault(whole, set()).add(number)
    result = [f"a step is missing: {words(each)}" for each in sorted(needed - set(numbers))]
    result += [f"a step that belongs to no part of the proof: {words(each)}" for each in sorted(set(numbers) - needed)]
    result += [f"a step is listed twice: {words(each)}" for each in sorted(count) if count[each] > 1]
    for each in sorted(numbers):
        if numbers[each] != set(range(len(numbers[each]))):
            result.append(f"a part of a step is missing: {words(each)}")
    if wrong := _unsettled(manifest):
        result.append(wrong)
    lemmas = {each["name"] for each in manifest["lemmas"]}
    duties = {f"rest {each['name']}" for each in manifest["rules"]["duties"]}
    given = {f"given {each['text']}" for each in manifest["given"]}
    for each in manifest["given"]:
        if each["assumption"] is not None:
            given |= {f"given {each['assumption']}", f"assumption {each['assumption']}"}
    for step, each in zip(listed, manifest["obligations"], strict=True):
        kind = step.transition.split("(")[0].split(" ")[0]
        allowed = given | (duties if kind in ("rest", "action") else set())
        usable = lemmas if kind != "start" else set[str]()
        for source in [*(set(each["lemmas"]) - usable), *(set(each["assumes"]) - allowed)]:
            result.append(f"it rests on something that nobody has shown: `{source}` ({words(step)})")
        if each["decided"] not in ("solver", "plain") or (each["decided"] == "solver") != (each["file"] is not None):
            result.append(f"it is not clear how a step was decided: {words(step)}")
    return result


ENDS = "where settling ends"
PART = re.compile(r"(\w+ at (?:[^:]+:)?\d+:\d+) #(\d{1,4})")


def _numbered(step: Step) -> tuple[Step, int]:
    """At a place several things may be demanded at once: `funded at 12:5 #0`, `… #1`."""
    found = PART.fullmatch(step.shows)
    return (step, 0) if found is None else (Step(found[1], step.transition, step.members), int(found[2]))


def _unsettled(manifest: Json) -> str:
    """What is judged at rest says that settling ends is taken for granted, or shows it."""
    restless, at = still_left(manifest)[-1], manifest["claim"]["moment"]["at"]
    if restless and (manifest["measures"] or at == "each settling"):
        return f"no measure falls when `{min(restless)}` acts"
    at_rest = at in ("rest", "every step", "action") and manifest["claim"]["kind"] != "rule"
    if at_rest and restless and ENDS not in manifest["premises"]:
        return f"it neither shows nor says that it takes for granted that settling ends: `{min(restless)}` may act for ever"
    return ""


def _table(manifest: Json) -> str:
    rules = manifest["rules"]
    parties = {each["name"] for each in rules["parties"]}
    named = [each for kind in ("actions", "duties") for rule in rules[kind] for each in rule["members"]]
    for each in named:
        if each["party"] not in parties:
            return f"nobody is called `{each['party']}`"
    measures = manifest["measures"]
    named_things = (*rules["actions"], *rules["duties"], *manifest["lemmas"], *measures)
    names = [*(each["name"] for each in named_things), *(falls(each["name"]) for each in measures)]
    names += {place for each in manifest["places"] for place in each["at"]}
    if len(set(names)) < len(names) or CLAIM in names or len(parties) < len(rules["parties"]):
        return "two things have one name"
    counts: list[Json] = [manifest["claim"]["members"]]
    counts += [each["members"] for each in (*manifest["lemmas"], *manifest["places"], *measures)]
    counts += [count for each in measures for count in each["falls"].values()]
    if any(count > MOST or party not in parties for each in counts for party, count in each.items()):
        return "a statement is about more members than a statement can be about"
    if any(len(rule["members"]) > MOST for kind in ("actions", "duties") for rule in rules[kind]):
        return "a rule names more members than a rule can name"
    for each, left in zip(measures, still_left(manifest), strict=False):
        if not each["falls"] or not set(each["falls"]) <= left:
            return f"`{each['name']}` is said to fall where it need not, or nowhere"
    claim, moment = manifest["claim"], manifest["claim"]["moment"]
    among = {"action": rules["actions"], "duty": rules["duties"]}.get(moment["at"])
    if claim["kind"] not in KINDS:
        return "it does not say what is proved"
    if moment["at"] not in _moments(claim):
        return "it does not say when the claim is judged"
    if wrong := _unwatched(manifest):
        return wrong
    if among is not None and moment["rule"] not in [each["name"] for each in among]:
        return f"there is no rule `{moment['rule']}`, after which the claim is judged"
    if moment["then"] and moment["then"] not in [each["name"] for each in rules["duties"]]:
        return f"there is no duty `{moment['then']}`, at whose end the claim is judged"
    if (manifest["verdict"], manifest["members"], manifest["steps"]) != ("proved", "any", "any"):
        return "it is not about any number of members and steps"
    return ""


JUDGED = ("rest", "every step", "action", "duty")


def _moments(claim: Json) -> tuple[str, ...]:
    """When what is proved may be judged."""
    if claim["kind"] == "check":
        return ("each settling",) if claim["name"] == "rests" else ("each statement",)
    return ("action", "duty") if claim["kind"] == "rule" else JUDGED


def _unwatched(manifest: Json) -> str:
    """A rule whose sentences are not looked at, though a defect is said never to be met."""
    claim, rules = manifest["claim"], manifest["rules"]
    watched = claim["moment"]["at"] == "each statement"
    every = [each["name"] for each in (*rules["actions"], *rules["duties"])] if watched else []
    listed = [each["rule"] for each in manifest["places"]]
    if sorted(listed) != sorted(every):
        return f"it does not say which sentences of `{min(set(every) ^ set(listed), default='a rule')}` may go wrong"
    for each in manifest["places"]:
        for place in each["at"]:
            if PART.fullmatch(f"{place} #0") is None or not place.startswith(f"{claim['name']} at "):
                return f"`{place}` is not the name of a place"
    return ""


def words(step: Step) -> str:
    """The step in plain words."""
    if PART.fullmatch(step.shows) or PART.fullmatch(f"{step.shows} #0"):
        more = f", where {step.members} more stand for any" if step.members else ""
        return f"never wrong ({step.shows}) in {step.transition}{more}"
    what = f"lemma `{step.shows}`" if step.shows != CLAIM else "the claim"
    if step.shows.startswith("settling "):  # a measure
        what = f"`{step.shows.removesuffix(' falls')}`"
        return f"{what} {'falls' if step.shows.endswith(' falls') else 'does not rise'} at {step.transition}"
    more = f", where {step.members} more stand for any" if step.members else ""
    if step.transition.startswith("start"):
        return f"{what} holds at the {step.transition}{more}"
    if step.transition.startswith("rest"):
        return f"{what} holds at {step.transition}{more}"
    return f"{what} holds after {step.transition}{more}"


def about(manifest: Json) -> str:
    """`solvent given no_exemptions`, `funded (free check)`."""
    given = ", ".join(each["text"] for each in manifest["given"])
    return called(manifest["claim"]["kind"], manifest["claim"]["name"]) + (f" given {given}" if given else "")


def called(kind: str, name: str) -> str:
    """What is proved, in a few words."""
    return KINDS[kind].format(name)
