"""Finding rulebooks on disk and loading them, with messages for whoever typed the path."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from specforge.apps.errors import UsageError
from specforge.core import ir
from specforge.diagnostics.diagnostic import Diagnostic, Severity
from specforge.diagnostics.source import SourceFile

DEFAULT = "rulebooks/"
FENCE = re.compile(r"^ {0,3}(```+|~~~+)\s*rulebook\b", re.MULTILINE)


def discover(paths: Sequence[str]) -> list[Path]:
    """The rulebooks under `paths`, sorted within each directory, each once."""
    found: dict[Path, None] = {}
    for given in paths or [DEFAULT]:
        path = Path(given)
        if path.is_dir():
            inside = list(_inside(path))
            if not inside:
                raise UsageError(f"no rulebooks under `{given}`: no `.rulebook` file, no `.md` file with a `rulebook` block")
            found.update(dict.fromkeys(inside))
        elif path.exists():
            found[path] = None
        elif not paths:
            raise UsageError(f"there is no directory `{DEFAULT}` here; say which rulebooks to check")
        else:
            raise UsageError(f"there is no file or directory `{given}`")
    return list(found)


def _inside(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if not hidden and path.is_file() and (path.suffix == ".rulebook" or _is_literate(path)):
            yield path


def _is_literate(path: Path) -> bool:
    """A Markdown file with a `rulebook` block."""
    if path.suffix != ".md":
        return False
    try:
        return FENCE.search(path.read_text(encoding="utf-8", errors="replace")) is not None
    except OSError:
        return False


def load(file: str, scenarios: SourceFile | None = None) -> tuple[ir.System | None, list[Diagnostic]]:
    """One rulebook; None if it does not compile."""
    from specforge import elaborate

    if not Path(file).is_file():
        raise UsageError(f"there is no file `{file}`" if not Path(file).exists() else f"`{file}` is not a file")
    system, diagnostics = elaborate.load(file, scenarios=scenarios)
    if any(each.severity is Severity.ERROR for each in diagnostics):
        return None, diagnostics
    return system, diagnostics
