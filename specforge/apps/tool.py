"""Which tool wrote a document: its version, and those of its solvers."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Any

SOLVERS = {"z3": "z3-solver", "cvc5": "cvc5"}


def tool() -> dict[str, Any]:
    solvers: dict[str, str] = {}
    for name, package in SOLVERS.items():
        try:
            solvers[name] = version(package)
        except PackageNotFoundError:
            continue
    return {"name": "specforge", "version": version("specforge"), "solvers": solvers}
