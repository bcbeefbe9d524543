"""What to send us when SpecForge itself has gone wrong: one file with all that is needed to see it happen again."""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
import time
import traceback
from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

FOLDER = ".specforge"


def write_bundle(
    error: BaseException | None, what: str, files: Sequence[str] = (), details: Mapping[str, Any] | None = None
) -> str:
    """Writes the bundle below `.specforge/` (or, where that cannot be, among temporary files) and returns its path.

    `files`: rulebooks whose text belongs to it."""
    document = {
        "what": what,
        "error": f"{type(error).__name__}: {error}" if error is not None else None,
        "traceback": traceback.format_exception(error) if error is not None else [],
        "arguments": sys.argv[1:],
        "versions": versions(),
        "files": {path: _text(path) for path in files},
        "details": dict(details or {}),
    }
    stem = f"report-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}"
    for folder in (Path(FOLDER), Path(tempfile.gettempdir())):
        try:
            folder.mkdir(exist_ok=True)
            path = next(each for at in count(1) if not (each := folder / f"{stem}{f'-{at}' if at > 1 else ''}.json").exists())
            path.write_text(json.dumps(document, indent=2, default=str) + "\n", encoding="utf-8")
            return str(path)
        except OSError:
            continue
    return "(no file could be written)"


def versions() -> dict[str, str]:
    """SpecForge, Python and the solvers."""
    from importlib.metadata import PackageNotFoundError, version

    found = {"python": platform.python_version(), "platform": platform.platform()}
    for name in ("specforge", "z3-solver", "cvc5", "lark", "attrs"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _text(path: str) -> str | None:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
