"""Reads a rulebook and those it uses or includes from disk, each once and none from outside the project, and checks them."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from attrs import evolve, field

from specforge.core import ir
from specforge.diagnostics.codes import Code
from specforge.diagnostics.diagnostic import Diagnostic, Label, Severity, error
from specforge.diagnostics.source import SourceFile, Span
from specforge.diagnostics.suggest import suggest
from specforge.elaborate import include
from specforge.elaborate.lower import Lowered, Trees, lower
from specforge.records import define
from specforge.syntax import tree
from specforge.syntax.parse import parse
from specforge.syntax.read import read

MOST_BOOKS = 60  # a rulebook that is used twice counts twice
DEEPEST_USE = 12
MOST_INCLUDED = 2_000_000  # characters; a file that is included twice counts twice
FRAMES = 20_000
STANDARD = "std/"  # paths that begin so name files of the standard library
MARKS = (".git", ".hg", "pyproject.toml")  # what a project's directory has
LIBRARY = (Path(__file__).parents[1] / "library").resolve()


def load(path: str, root: str | None = None, scenarios: SourceFile | None = None) -> tuple[ir.System | None, list[Diagnostic]]:
    """The rulebook at `path` in the core, or None, and what is wrong with it.  `root`: the directory that used rulebooks
    must lie in (if not given, see `_project`).  `scenarios`: a file of further scenarios."""
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
    top = Path(root).resolve() if root is not None else _project(here.resolve().parent)
    return _check(source, _Reader(top, open_files or {}), here.resolve(), scenarios)


def _project(folder: Path) -> Path:
    """The current directory if the folder is in it; else the nearest above the folder that is kept as a project; else that
    folder."""
    here = Path.cwd().resolve()
    if folder.is_relative_to(here):
        return here
    return next((each for each in (folder, *folder.parents) if any((each / mark).exists() for mark in MARKS)), folder)


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
            return Lowered(None, [reader.placed(each) for each in reader.problems], [])
        done = lower(trees, extra)
        system = done.system
        if system is not None:
            system = evolve(system, files=tuple(book.span.file for book in reader.parsed.values() if book is not None))
        return Lowered(system, [reader.placed(each) for each in (*reader.problems, *done.diagnostics)], done.uses)


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


def _shown(path: tree.Text) -> str:
    """A file named in a rulebook, as the user would write it."""
    return path.text if path.text.startswith(STANDARD) else str(Path(path.span.file.path).parent / path.text)


@define
class _Reader:
    """Reads and parses, each file once."""

    root: Path
    open_files: dict[str, str]
    problems: list[Diagnostic] = field(factory=list)
    parsed: dict[Path, tree.Rulebook | None] = field(factory=dict)
    lines: dict[str, tree.Include] = field(factory=dict)  # for each included file, the line that brought it in
    count: int = 0
    included: int = 0

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
        parts = self._parts(book, path, chain, None)
        if parts is None:
            return None
        pieces = include.whole(parts)
        used: dict[str, Trees] = {}
        for piece in pieces:
            if isinstance(piece.item, tree.Use):
                found = self._use(piece.item, piece.part.path, chain)
                if found is not None:
                    used.setdefault(piece.item.alias.text, found)
        return Trees(evolve(book, items=tuple(piece.item for piece in pieces)), used)

    # ------------------------------------------------------------ include

    def _parts(
        self, book: tree.Rulebook, path: Path, chain: list[Path], line: tree.Include | None
    ) -> list[include.Part] | None:
        """The file's own sentences, cut where it includes others, and theirs in between; None after a mistake."""
        parts: list[include.Part] = []
        own: list[tree.Item] = []
        failed = False
        for item in book.items:
            if not isinstance(item, tree.Include):
                own.append(item)
                continue
            if own:
                parts.append(include.Part(path, own, len(parts), line))
                own = []
            found = self._include(item, path, chain, line or item)
            failed = failed or found is None
            parts += found or []
        if own or not parts:
            parts.append(include.Part(path, own, len(parts), line))
        return None if failed else parts

    def _include(self, item: tree.Include, user: Path, chain: list[Path], top: tree.Include) -> list[include.Part] | None:
        target = self._target(item.path, user, chain, "included")
        if target is None:
            return None
        self.lines.setdefault(_shown(item.path), top)
        book = self._read(target, item.path, "included")
        if book is None:
            return None
        self.included += len(book.span.file.text)
        if self.included > MOST_INCLUDED:
            if self.included - len(book.span.file.text) <= MOST_INCLUDED:
                message = f"the included files have more than {MOST_INCLUDED:_} characters together"
                self.problems.append(error(Code.SF414, message, Label(item.path.span, "no more")))
            return None
        parts = self._parts(book, target, [*chain, target], top)
        if parts is not None:
            self.problems += include.apply(item, parts)
        return parts

    # ------------------------------------------------------------ files

    def _use(self, item: tree.Use, user: Path, chain: list[Path]) -> Trees | None:
        target = self._target(item.path, user, chain, "used")
        return None if target is None else self._trees(self._read(target, item.path, "used"), target, [*chain, target])

    def _target(self, path: tree.Text, user: Path, chain: list[Path], verb: str) -> Path | None:
        """Which file a `use` or `include` line means; reported when it may not be read."""
        span = path.span
        self.count += 1
        if self.count > MOST_BOOKS or len(chain) > DEEPEST_USE:
            if self.count <= MOST_BOOKS + 1:
                message = f"more than {MOST_BOOKS} rulebooks in use, or {DEEPEST_USE} deep"
                self.problems.append(error(Code.SF414, message, Label(span, "no more")))
            return None
        standard = path.text.startswith(STANDARD)
        written = Path(path.text.removeprefix(STANDARD) if standard else path.text)
        within = LIBRARY if standard or user.is_relative_to(LIBRARY) else self.root
        try:
            target = ((LIBRARY if standard else user.parent) / written).resolve()
            outside = written.is_absolute() or not target.is_relative_to(within)
        except (OSError, ValueError, RuntimeError):
            self.problems.append(error(Code.SF212, f"`{path.text}` is not a path", Label(span, "cannot be read")))
            return None
        if outside:
            where = "the standard library" if within is LIBRARY else "the project directory"
            help = f"`{STANDARD}…` names a file of the standard library"
            if within is not LIBRARY:
                help = "a used rulebook is named by its path from here; run specforge in a directory that holds both files"
            self.problems.append(
                error(Code.SF211, f"`{path.text}` lies outside {where}", Label(span, "not read"), help=help)
            )
            return None
        if target in chain:
            names = " → ".join(f"`{each.name}`" for each in [*chain[chain.index(target) :], target])
            verbs = "uses" if verb == "used" else "includes"
            self.problems.append(error(Code.SF210, f"a rulebook {verbs} itself: {names}", Label(span, f"{verb} again here")))
            return None
        if standard and not target.is_file():
            known = sorted(f"{STANDARD}{each.name}" for each in LIBRARY.glob("*.rulebook"))
            near = suggest(path.text, known)
            help = f"did you mean `{near}`?" if near else f"there are {', '.join(f'`{each}`' for each in known)}"
            message = f"the standard library has no `{path.text}`"
            self.problems.append(error(Code.SF212, message, Label(span, f"{verb} here"), help=help))
            return None
        return target

    def _read(self, target: Path, path: tree.Text, verb: str) -> tree.Rulebook | None:
        if target not in self.parsed:
            source, problems = _read(target, _shown(path), self.open_files)
            for each in problems:
                message = f"`{path.text}` cannot be {verb}: {each.message}"
                self.problems.append(error(Code.SF212, message, Label(path.span, f"{verb} here"), help=each.help))
            if source is None:
                self.parsed[target] = None
            else:
                self._parse(source, target)
        return self.parsed[target]

    def placed(self, problem: Diagnostic) -> Diagnostic:
        """A mistake in an included file also marks the line that includes it."""
        included = next((each.span.file.path for each in problem.labels if each.span.file.path in self.lines), None)
        if problem.code is Code.SF202 and included is not None:
            help = "leave the included one out: `include … without …`"
            problem = evolve(problem, help=problem.help or help)
        line = self.lines.get(problem.span.file.path)
        if line is None or any(label.span == line.path.span for label in problem.labels):
            return problem
        return evolve(problem, labels=(*problem.labels, Label(line.path.span, "included here")))
