"""The actions, duties, claims and reaches of a rulebook and of what it includes, found by their first words; no compiler."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from functools import partial
from pathlib import Path
from posixpath import normpath

from attrs import evolve

from specforge.records import frozen

STANDARD, LIBRARY = "std/", (Path(__file__).parents[1] / "library").resolve()  # as in elaborate/load.py, which is not read here
DEEPEST, MOST = 12, 60
HEAD = re.compile(r"^(action|duty|claim|reach)\s+(\w+)\s*(?:\(([^)]*)\))?", re.MULTILINE)
INCLUDE = re.compile(
    r'^include\s+"([^"\n]+)"(?:[ \t]+with[ \t]+([^#\n]*?))?(?:[ \t]+without[ \t]+([^#\n]*?))?[ \t]*(?:#.*)?$', re.MULTILINE
)
WORD = re.compile(r"\w+")
REWORD = re.compile(r"(\w+)\s+as\s+(\w+)")


@frozen
class Head:
    """One first line: `name` and `params` as the including rulebook reads them.  `text`: which file it stands in, in which
    words; `own`: what it is called there; `gone`: some `without` leaves it out."""

    kind: str
    name: str
    params: str
    text: tuple[str, frozenset[tuple[str, str]]] = ("", frozenset())
    own: str = ""
    gone: bool = False


def heads(text: str, folder: Path, used: Collection[str]) -> list[Head]:
    """`used`: the files that may be read, by their paths from the folder; those of the standard library may be anyway."""
    found = list(_Reader(folder, frozenset(used)).of(text, Path(), 0))
    gone = {(each.text, each.own) for each in found if each.gone}
    kept: dict[tuple[object, str, str], Head] = {}
    for each in found:
        if (each.text, each.own) not in gone:
            kept.setdefault((each.text, each.kind, each.own), each)
    return list(kept.values())


def _replaced(words: dict[str, str], found: re.Match[str]) -> str:
    return words.get(found[0], found[0])


class _Reader:
    def __init__(self, folder: Path, used: frozenset[str]):
        self.folder, self.used, self.count = folder, used, 0

    def of(self, text: str, folder: Path, depth: int) -> Iterator[Head]:
        for kind, name, params in HEAD.findall(text):
            if kind in ("action", "duty") or depth == 0:
                yield Head(kind, name, params, own=name)
        for path, words, without in INCLUDE.findall(text):
            inner, at = self._read(path, folder, depth)
            replaced: dict[str, str] = dict(REWORD.findall(words))
            left_out = {each.strip() for each in without.split(",")}
            tokens = frozenset(WORD.findall(inner))
            for each in self.of(inner, at.parent, depth + 1):
                where = each.text if each.text[0] else (str(at), frozenset((word, word) for word in tokens))
                seen = frozenset((old, replaced.get(now, now)) for old, now in where[1])
                params = WORD.sub(partial(_replaced, replaced), each.params)
                name = replaced.get(each.name, each.name)
                gone = each.gone or each.name in left_out
                yield evolve(each, name=name, params=params, text=(where[0], seen), gone=gone)

    def _read(self, path: str, folder: Path, depth: int) -> tuple[str, Path]:
        self.count += 1
        at = Path(path) if path.startswith(STANDARD) else Path(normpath((folder / path).as_posix()))
        file = self.folder / at
        if path.startswith(STANDARD):
            file = LIBRARY / path.removeprefix(STANDARD)
        elif at.as_posix() not in self.used:
            return "", at
        if depth > DEEPEST or self.count > MOST or not file.resolve().is_file():
            return "", at
        if path.startswith(STANDARD) and not file.resolve().is_relative_to(LIBRARY):
            return "", at
        return file.read_text(encoding="utf-8", errors="replace"), at


__all__ = ["Head", "heads"]
