"""Which tool wrote a document: its version, and those of its solvers; for certificates, with hashes."""

from __future__ import annotations

import hashlib
from importlib.metadata import PackageNotFoundError, distribution, version
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


def hashed(solvers: dict[str, str]) -> dict[str, str]:
    """Each version with one hash for the files of that solver, as they were when it was installed."""
    return {name: f"{each} sha256:{found}" if (found := _files(name)) else each for name, each in solvers.items()}


def _files(name: str) -> str:
    """From the list that the installer has written, which has a hash of every file; "" if there is none."""
    listed = (distribution(SOLVERS[name]).read_text("RECORD") or "").splitlines()
    hashes = sorted(each for each in listed if each.startswith(f"{name}/") and ",sha256=" in each)
    return hashlib.sha256("\n".join(hashes).encode()).hexdigest() if hashes else ""
