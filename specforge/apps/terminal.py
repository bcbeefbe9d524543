"""Where a report goes: a terminal with colours, a log without, or a file."""

from __future__ import annotations

import errno
import os
import shutil
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from specforge.apps.errors import UsageError
from specforge.evidence.layout import Layout

PIPED_WIDTH = 100
WIDEST = 140


def wants_color(stream: IO[str], choice: str) -> bool:
    """`auto`: on a terminal, unless NO_COLOR is set (to anything) or the terminal is dumb."""
    if choice != "auto":
        return choice == "always"
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def layout_for(stream: IO[str], format: str = "text", color: str = "auto") -> Layout:
    """How text is laid out on `stream`: `plain` and streams that are not Unicode get ASCII and no colour."""
    width = PIPED_WIDTH
    if stream.isatty():
        width = max(60, min(shutil.get_terminal_size((PIPED_WIDTH, 24)).columns, WIDEST))
    if format == "plain":
        return Layout(color=False, ascii=True, width=PIPED_WIDTH)
    unicode = (getattr(stream, "encoding", None) or "ascii").lower().startswith(("utf", "cp65001"))
    return Layout(color=wants_color(stream, color), ascii=not unicode, width=width)


@contextmanager
def opened(output: str | None) -> Generator[IO[str]]:
    """The stream to write to: standard output, or the file named by `--output`."""
    if output is None or output == "-":
        try:
            with _room("standard output"):
                yield sys.stdout
                sys.stdout.flush()
        except BrokenPipeError:  # whoever reads has had enough, as in `specforge check | head`
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return
    try:
        Path(output).write_text("", encoding="utf-8")
    except OSError as problem:
        raise UsageError(f"cannot write `{output}`: {(problem.strerror or 'not a file').lower()}") from None
    with _room(f"`{output}`"), Path(output).open("w", encoding="utf-8") as file:
        yield file


@contextmanager
def _room(where: str) -> Generator[None]:
    """A full disk is not an error of ours."""
    try:
        yield
    except OSError as problem:
        if problem.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO):
            raise
        if where == "standard output":  # what is left in its buffer would be tried again at the end
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise UsageError(f"cannot write to {where}: {(problem.strerror or 'failed').lower()}") from None
