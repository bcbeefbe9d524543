"""Fetches a rulebook from disk: within limits, as UTF-8, and with a plain sentence when that cannot be done."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from specforge.diagnostics.codes import Code
from specforge.diagnostics.diagnostic import Diagnostic, Label, error
from specforge.diagnostics.source import SourceFile, Span

MAX_BYTES = 1_000_000


def read(path: str | os.PathLike[str]) -> tuple[SourceFile | None, list[Diagnostic]]:
    """The file at `path`, or None and why it cannot be read.  A `.md` file is read whole; `parse` finds its blocks."""
    shown = os.fspath(path)
    nothing = SourceFile(shown, "")

    def failed(code: Code, message: str, help: str | None = None) -> tuple[None, list[Diagnostic]]:
        return None, [error(code, message, Label(Span(nothing, 0, 0)), help=help)]

    try:
        status = os.stat(path)
        if stat.S_ISDIR(status.st_mode):
            return failed(Code.SF120, "this is a directory, not a rulebook", "name a `.rulebook` file in it")
        if not stat.S_ISREG(status.st_mode):
            return failed(Code.SF120, "this is not an ordinary file")
        with Path(path).open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as problem:
        why = problem.strerror if isinstance(problem, OSError) and problem.strerror else "not a possible file name"
        return failed(Code.SF120, f"this file cannot be read: {why.lower()}")
    if len(data) > MAX_BYTES:
        size = f"{MAX_BYTES:_}"
        return failed(Code.SF122, f"this file is larger than {size} bytes", "split it, and join the parts with `use`")
    try:
        return SourceFile(shown, data.decode("utf-8")), []
    except UnicodeDecodeError as problem:
        line = data.count(b"\n", 0, problem.start) + 1
        return failed(
            Code.SF121,
            f"this file is not UTF-8 text: the byte 0x{data[problem.start]:02x} in line {line}",
            "save it as UTF-8",
        )
