"""Reads a rulebook and those it uses from disk, each once and none from outside the project, and checks them."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from attrs import define, evolve, field

from specforge.core import ir
from specforge.diagnostics.codes import Code
from specforge.diagnostics.diagnostic import Diagnostic, Label, Severity, error
from specforge.diagnostics.source import SourceFile, Span
from specforge.elaborate.lower import Lowered, Trees, lower
from specforge.syntax import tree
from specforge.syntax.parse import parse
from specforge.syntax.read import read

MOST_BOOKS = 60  # a rulebook that is used twice counts twice
DEEPEST_USE = 12
FRAMES = 20_000


def load(path: str, root: str | None = None, scenarios: SourceFile | None = None) -> tuple[ir.System | None, list[Diagnostic]]:
    """The rulebook at `path` in the core, or None, and what is wrong with it.  `root`: the directory that used rulebooks
    must lie in (the current one if the file does, else the file's own).  `scenarios`: a file of further scenarios."""
    done = check(path, root, scenarios)
    return done.system, done.diagnostics


def check(
    path: str, root: str | None = None, scenarios: SourceFile | None = None, open_files: dict[str, str] | None = None
) -> Lowered:
    """As `load`, with what editors need besides.  `open_files`: texts that stand for files, by absolute path."""
    here = Path(path)
    source, problems = _read(here, path, open_files or {})
    if source is None:
        return Lowered(None, problems, [])
    folder = here.resolve().parent
    if root is not None:
        top = Path(root).resolve()
    else:
        top = Path.cwd().resolve()
        if not folder.is_relative_to(top):
            top = folder
    return _check(source, _Reader(top, open_files or {}), here.resolve(), scenarios)


def compile_text(
    text: str, path: str = "test.rulebook", scenarios: SourceFile | None = None
) -> tuple[ir.System | None, list[Diagnostic]]:
    """A rulebook given as text; what it uses is looked for beside `path`."""
    here = Path(path).resolve()
    done = _check(SourceFile(path, text), _Reader(here.parent, {}), here, scenarios)
    return done.system, done.diagnostics


def _check(source: SourceFile, reader: _Reader, path: Path, scenarios: SourceFile | None) -> Lowered:
    with room_to_recurse():
        trees = reader.trees(source, path)
        extra: list[tree.Item] = []
        if scenarios is not None:
            extra = _scenarios(scenarios, reader.problems)
        if trees is None or any(each.severity is Severity.ERROR for each in reader.problems):
            return Lowered(None, reader.problems, [])
        done = lower(trees, extra)
        return Lowered(done.system, [*reader.problems, *done.diagnostics], done.uses)


def _scenarios(source: SourceFile, problems: list[Diagnostic]) -> list[tree.Item]:
    """The items of a file of scenarios, which may leave out the `rulebook` line."""
    book, found = parse(source)
    if book is None and [each.code for each in found] == [Code.SF115]:
        first, _, rest = source.text.partition("\n")
        if first.strip() and not first.lstrip().startswith("#"):
            rest = source.text  # else the header stands in place of a line that says nothing, and lines keep their numbers
        book, found = parse(SourceFile(source.path, 'rulebook "scenarios"\n' + rest))
    problems.extend(found)
    return list(book.items) if book is not None else []


@contextmanager
def room_to_recurse() -> Generator[None]:
    """The checker follows the nesting of the text, which the parser limits, and of definitions, which it limits itself."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, FRAMES))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


def _read(path: Path, shown: str, open_files: dict[str, str]) -> tuple[SourceFile | None, list[Diagnostic]]:
    """The file as an editor has it open, or as it is on disk; `shown` is what the user calls it."""
    text = open_files.get(str(path.resolve())) if open_files else None
    if text is not None:
        return SourceFile(shown, text), []
    source, problems = read(path)
    if source is None:
        span = Span(SourceFile(shown, ""), 0, 0)
        return None, [evolve(each, labels=(Label(span),)) for each in problems]
    return SourceFile(shown, source.text), problems


@define
class _Reader:
    """Reads and parses, each file once."""

    root: Path
    open_files: dict[str, str]
    problems: list[Diagnostic] = field(factory=list)
    parsed: dict[Path, tree.Rulebook | None] = field(factory=dict)
    count: int = 0

    def trees(self, source: SourceFile, path: Path) -> Trees | None:
        return self._trees(self._parse(source, path), path, [path])

    def _parse(self, source: SourceFile, path: Path) -> tree.Rulebook | None:
        book, problems = parse(source)
        self.problems.extend(problems)
        self.parsed[path] = book
        return book

    def _trees(self, book: tree.Rulebook | None, path: Path, chain: list[Path]) -> Trees | None:
        if book is None:
            return None
        used: dict[str, Trees] = {}
        for item in book.items:
            if isinstance(item, tree.Use):
                found = self._use(item, path, chain)
                if found is not None:
                    used.setdefault(item.alias.text, found)
        return Trees(book, used)

    def _use(self, item: tree.Use, user: Path, chain: list[Path]) -> Trees | None:
        span = item.path.span
        written = Path(item.path.text)
        self.count += 1
        if self.count > MOST_BOOKS or len(chain) > DEEPEST_USE:
            if self.count <= MOST_BOOKS + 1:
                message = f"more than {MOST_BOOKS} rulebooks in use, or {DEEPEST_USE} deep"
                self.problems.append(error(Code.SF414, message, Label(span, "no more")))
            return None
        try:
            target = (user.parent / written).resolve()
            outside = written.is_absolute() or not target.is_relative_to(self.root)
        except (OSError, ValueError, RuntimeError):
            self.problems.append(error(Code.SF212, f"`{item.path.text}` is not a path", Label(span, "cannot be read")))
            return None
        if outside:
            self.problems.append(
                error(
                    Code.SF211,
                    f"`{item.path.text}` lies outside the project directory",
                    Label(span, "not read"),
                    help="a used rulebook is named by its path from here, and lies in the project",
                )
            )
            return None
        if target in chain:
            names = " → ".join(f"`{each.name}`" for each in [*chain[chain.index(target) :], target])
            self.problems.append(error(Code.SF210, f"a rulebook uses itself: {names}", Label(span, "used again here")))
            return None
        if target not in self.parsed:
            shown = str(Path(span.file.path).parent / written)  # as the user would write it
            source, problems = _read(target, shown, self.open_files)
            for each in problems:
                message = f"`{item.path.text}` cannot be used: {each.message}"
                self.problems.append(error(Code.SF212, message, Label(span, "used here"), help=each.help))
            if source is None:
                self.parsed[target] = None
            else:
                self._parse(source, target)
        return self._trees(self.parsed[target], target, [*chain, target])

