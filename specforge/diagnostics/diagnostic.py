"""What we tell a user about a rulebook: one sentence, the places it is about, and a fix when there is one."""

from __future__ import annotations

from enum import Enum

from specforge.diagnostics.codes import Code
from specforge.diagnostics.source import NOWHERE, Span
from specforge.records import frozen


class Severity(Enum):
    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@frozen
class Label:
    """A marked place and what to say about it.  The first label of a diagnostic is its primary one."""

    span: Span
    text: str = ""


@frozen
class Fix:
    """Replace what stands at `span` with `replacement`; `text` says what that does ("write `otherwise`")."""

    span: Span
    replacement: str
    text: str = ""


@frozen
class Diagnostic:
    code: Code
    severity: Severity
    message: str
    labels: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    help: str | None = None
    fixes: tuple[Fix, ...] = ()

    @property
    def span(self) -> Span:
        """The primary place."""
        return self.labels[0].span if self.labels else NOWHERE


def error(
    code: Code,
    message: str,
    *labels: Label,
    notes: tuple[str, ...] = (),
    help: str | None = None,
    fixes: tuple[Fix, ...] = (),
) -> Diagnostic:
    """An error with these labels, the primary one first."""
    return Diagnostic(code, Severity.ERROR, message, labels, notes, help, fixes)


def warning(
    code: Code,
    message: str,
    *labels: Label,
    notes: tuple[str, ...] = (),
    help: str | None = None,
    fixes: tuple[Fix, ...] = (),
) -> Diagnostic:
    """A warning with these labels, the primary one first."""
    return Diagnostic(code, Severity.WARNING, message, labels, notes, help, fixes)
