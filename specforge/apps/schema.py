"""`specforge schema`: the JSON Schema of what the tool writes, complete in one document."""

from __future__ import annotations

import argparse
import json
from importlib.resources import files
from typing import Any

from specforge.apps.errors import UsageError, closest
from specforge.apps.terminal import opened

NAMES = ("report", "result", "trace", "diagnostic", "summary", "run", "certificate", "certificates", "verification")


def read(name: str) -> dict[str, Any]:
    return json.loads((files("specforge.apps") / "schemas" / f"{name}.json").read_text(encoding="utf-8"))


def schema(name: str) -> dict[str, Any]:
    """The schema, with every other one that it refers to bundled in its `$defs`."""
    document = read(name)
    waiting, bundled = [document], {name}
    while waiting:
        for other in sorted(_mentioned(waiting.pop()) - bundled):
            bundled.add(other)
            inner = read(other)
            document.setdefault("$defs", {})[other] = inner
            waiting.append(inner)
    return document


def _mentioned(node: Any) -> set[str]:
    """The other schemas that `node` refers to, by name."""
    if isinstance(node, dict):
        found = {part for value in node.values() for part in _mentioned(value)}
        target = node.get("$ref", "")
        return found | {target.split(":")[2]} if target.startswith("urn:specforge:") else found
    if isinstance(node, list):
        return {part for value in node for part in _mentioned(value)}
    return set()


def text(name: str) -> str:
    return json.dumps(schema(name), indent=2) + "\n"


def main(options: argparse.Namespace) -> int:
    if options.name not in NAMES:
        raise UsageError(f"there is no schema `{options.name}`{closest(options.name, NAMES)}")
    with opened(options.output) as stream:
        stream.write(text(options.name))
    return 0
