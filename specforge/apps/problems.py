"""Printing what is wrong with a rulebook's text."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from specforge.apps.terminal import wants_color
from specforge.diagnostics.diagnostic import Diagnostic
from specforge.diagnostics.render import render_all


def print_diagnostics(diagnostics: Sequence[Diagnostic], color: str = "auto") -> None:
    """On standard error, each with its place marked."""
    if diagnostics:
        print(render_all(diagnostics, wants_color(sys.stderr, color)) + "\n", file=sys.stderr)
