"""Makes the declarations of other files part of a rulebook: words replaced, some left out, and what several declare joined."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
from attrs import field

from specforge.diagnostics.codes import Code
from specforge.diagnostics.diagnostic import Diagnostic, Fix, Label, error
from specforge.diagnostics.source import Span
from specforge.diagnostics.suggest import suggest
from specforge.elaborate.declare import BUILT_IN
from specforge.records import define, frozen
from specforge.syntax import tree

NOT_TAKEN = (tree.Claim, tree.Reach, tree.Scenario)  # they are checked in the file itself


@define
class Part:
    """Sentences of one file that become part of a rulebook, up to the next `include`; `number`: which of the file's stretches.
    `line`: the rulebook's `include` through which they come (None: its own).  `words`: what the file's names are read as.
    `without`: what is left out, fields as party and name."""

    path: Path
    items: Sequence[tree.Item]
    number: int = 0
    line: tree.Include | None = None
    words: dict[str, str] = field(factory=dict)
    without: set[tuple[str, ...]] = field(factory=set)

    def seen_as(self, name: str) -> str:
        return self.words.get(name, name)

    def names(self) -> Iterator[tuple[str, ...]]:
        """Everything the file gives a name to, by the file's own words."""
        for item in self.items:
            for name in _names(item):
                yield (name.text,)
            if isinstance(item, tree.Party):
                for name in _fields(item):
                    yield item.name.text, name.text


@frozen
class Piece:
    """One sentence of the whole, and the part it is from."""

    item: tree.Item
    part: Part


# ---------------------------------------------------------------- one `include` line


def apply(line: tree.Include, parts: Sequence[Part]) -> list[Diagnostic]:
    """Lets the line's `without` and `with` act on the files that it brings in; what is wrong with them."""
    problems: list[Diagnostic] = []
    gone = [(each, tuple(name.text for name in each.parts)) for each in line.without]
    for path, names in gone:
        found = False
        for part in parts:
            for own in set(part.names()):
                if tuple(part.seen_as(each) for each in own) == names:
                    part.without.add(own)
                    found = True
        if not found:
            known = {".".join(map(part.seen_as, own)) for part in parts for own in part.names()}
            problems.append(_unknown(path.text, path.span, known, line))
    replaced: dict[str, tree.Reword] = {}
    for word in line.words:
        known = {part.seen_as(name) for part in parts for own in part.names() for name in own}
        if word.old.text not in known:
            problems.append(_unknown(word.old.text, word.old.span, known, line))
        elif word.old.text in replaced:
            first = Label(replaced[word.old.text].span, "the first time")
            message = f"`{word.old.text}` is replaced twice"
            problems.append(error(Code.SF202, message, Label(word.span, "and again here"), first))
        elif word.new.text in BUILT_IN:
            message = f"`{word.new.text}` is built in"
            problems.append(error(Code.SF214, message, Label(word.new.span, "cannot be a name"), help="choose another name"))
        else:
            replaced[word.old.text] = word
    return [*problems, *_reword(parts, replaced)]


def _reword(parts: Sequence[Part], replaced: Mapping[str, tree.Reword]) -> list[Diagnostic]:
    """Reads every old word as its new one, wherever it stands.  A new word may not mean something else already."""
    new = {word.new.text: word for word in replaced.values()}
    for part in parts:
        for name in _every_name(part.items) if new else ():
            seen = part.seen_as(name.text)
            if seen in new and seen not in replaced:
                word = new[seen]
                message = f"`{seen}` already means something else in the included file"
                labels = Label(word.span, f"`{word.old.text}` would be read as `{seen}`"), Label(name.span, "this means it")
                return [error(Code.SF218, message, *labels, help=f"choose another name, or replace `{seen}` too")]
    for part in parts:
        for text in {name.text for name in _every_name(part.items)} if replaced else ():
            if part.seen_as(text) in replaced:
                part.words[text] = replaced[part.seen_as(text)].new.text
    return []


def _unknown(text: str, span: Span, known: Iterable[str], line: tree.Include) -> Diagnostic:
    near = suggest(text, sorted(known))
    fixes = (Fix(span, near, f"write `{near}`"),) if near else ()
    help = f"did you mean `{near}`?" if near else None
    message = f"`{line.path.text}` declares nothing called `{text}`"
    return error(Code.SF217, message, Label(span, "unknown"), Label(line.path.span, "included here"), help=help, fixes=fixes)


# ---------------------------------------------------------------- the whole


def whole(parts: Sequence[Part]) -> list[Piece]:
    """The sentences of all parts in their order, each file (with the same words) once, and joined where several declare
    the same asset, unit, source or party."""
    kept: list[Part] = []
    for part in parts:
        same = next((each for each in kept if _alike(each, part)), None)
        if same is None:
            kept.append(part)
        else:
            same.without |= part.without
    result: list[Piece] = []
    at: dict[tuple[type[Any], str], int] = {}
    for part in kept:
        for item in part.items if part.line is None else _taken(part):
            key = (type(item), item.name.text) if isinstance(item, tree.Asset | tree.Unit | tree.Source | tree.Party) else None
            before = at.get(key) if key is not None else None
            if before is not None and not _same_text(result[before].part, part):
                joined = _joined(result[before].item, item)
                if joined is not None:
                    result[before] = Piece(joined, result[before].part)
                    continue
            if key is not None:
                at.setdefault(key, len(result))
            result.append(Piece(item, part))
    return result


def _alike(a: Part, b: Part) -> bool:
    return None not in (a.line, b.line) and a.number == b.number and _same_text(a, b)


def _same_text(a: Part, b: Part) -> bool:
    return a.path == b.path and a.words == b.words


def _joined(first: tree.Item, second: tree.Item) -> tree.Item | None:
    """What two files say of one thing, as one sentence; None if they contradict each other."""
    match first, second:
        case tree.Asset(), tree.Asset():
            return first if first.issued == second.issued else None
        case tree.Unit(), tree.Unit():
            return first
        case tree.Source(), tree.Source():
            return first if first.text == second.text else None
        case tree.Party(), tree.Party():
            if first.census is not second.census or [n.text for n in first.listed] != [n.text for n in second.listed]:
                return None
            text = second.description or first.description
            fields = (*first.fields, *second.fields)
            return attrs.evolve(first, description=text, fields=fields, cites=(*first.cites, *second.cites))
        case _:
            return None


def _taken(part: Part) -> Iterator[tree.Item]:
    """What comes in, in the words it is read in."""
    for item in part.items:
        if isinstance(item, NOT_TAKEN) or any((name.text,) in part.without for name in _names(item)):
            continue
        if isinstance(item, tree.Party):
            item = attrs.evolve(item, fields=tuple(_kept(item, part)))
        yield _read_as(item, part.words) if part.words else item


def _kept(party: tree.Party, part: Part) -> Iterator[tree.Field | tree.Per]:
    for entry in party.fields:
        if isinstance(entry, tree.Per):
            inside = tuple(each for each in entry.fields if (party.name.text, each.name.text) not in part.without)
            if inside:
                yield attrs.evolve(entry, fields=inside)
        elif (party.name.text, entry.name.text) not in part.without:
            yield entry


def _read_as(node: Any, words: Mapping[str, str]) -> Any:
    """The node with its names replaced; the very same object where nothing changes."""
    if isinstance(node, tree.Name):
        return attrs.evolve(node, text=words[node.text]) if node.text in words else node
    if isinstance(node, tuple):
        parts = tuple([_read_as(each, words) for each in node])
        return node if all(a is b for a, b in zip(parts, node, strict=True)) else parts
    if not isinstance(node, tree.Node):
        return node
    changed = {
        each.name: new
        for each in attrs.fields(type(node))
        if (new := _read_as(old := getattr(node, each.name), words)) is not old
    }
    return attrs.evolve(node, **changed) if changed else node


def _names(item: tree.Item) -> tuple[tree.Name, ...]:
    """The names that a sentence gives at the top level."""
    match item:
        case tree.Member(names):
            return names
        case tree.Use(alias=alias):
            return (alias,)
        case tree.Party():
            return (item.name, *item.listed)
        case tree.Include():
            return ()
        case _:
            return (item.name,)


def _fields(party: tree.Party) -> Iterator[tree.Name]:
    for entry in party.fields:
        if isinstance(entry, tree.Per):
            yield from (each.name for each in entry.fields)
        else:
            yield entry.name


def _every_name(items: Sequence[tree.Item]) -> Iterator[tree.Name]:
    for item in items:
        if not isinstance(item, NOT_TAKEN):
            yield from (node for node in tree.walk(item) if isinstance(node, tree.Name))
