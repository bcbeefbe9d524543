"""What the user asked for cannot be done as asked: one sentence, and exit code 2."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class UsageError(Exception):
    """The command line, or a path on it, is wrong."""


def closest(name: str, known: Iterable[str]) -> str:
    """`; did you mean `solvent`?`, or the names there are, or nothing."""
    names = sorted(set(known))
    near = difflib.get_close_matches(name, names, n=1)
    if near:
        return f"; did you mean `{near[0]}`?"
    return f"; there are {', '.join(f'`{each}`' for each in names)}" if 0 < len(names) <= 12 else ""
