"""The folders are the pipeline, and imports point one way: this is what keeps it so."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "specforge"
FILES = sorted(PACKAGE.rglob("*.py"))

# What each folder may import from, besides itself and `records.py`.
MAY_IMPORT = {
    "records": set[str](),
    "diagnostics": set[str](),
    "syntax": {"diagnostics"},
    "core": {"diagnostics"},
    "elaborate": {"diagnostics", "syntax", "core"},
    "algebra": {"diagnostics", "core"},
    "evidence": {"diagnostics", "core", "algebra"},
    "engines": {"diagnostics", "core", "algebra", "evidence"},
    "pipeline": {"diagnostics", "syntax", "core", "elaborate", "algebra", "evidence", "engines"},
    "pages": {"diagnostics", "syntax", "core", "algebra", "evidence", "engines"},
    "apps": {"diagnostics", "syntax", "core", "elaborate", "algebra", "evidence", "engines", "pipeline", "pages"},
}
# Where a dependency may be imported.
ONLY_IN = {
    "z3": ("algebra/",),
    "lark": ("syntax/build.py",),
    "cvc5": ("algebra/",),
    "matplotlib": ("pages/draw.py",),
    "markdown_it": ("pages/web.py",),
}


def named(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def layer(path: Path) -> str:
    """The folder of a file, or the name of a module that lies beside the folders."""
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def imported(path: Path) -> Iterator[str]:
    """The modules that a file imports, wherever in it: `specforge.core.ir`, `z3`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{named(path)}: imports are absolute"
            yield from (f"{node.module}.{each.name}" for each in node.names)


@pytest.mark.parametrize("path", FILES, ids=named)
def test_imports_point_one_way(path: Path):
    here = layer(path)
    if here == "__init__":
        return
    assert here in MAY_IMPORT, f"{named(path)} lies in a folder that ARCHITECTURE.md does not know"
    for module in imported(path):
        names = module.split(".")
        if names[0] == "specforge" and len(names) > 1 and names[1] in MAY_IMPORT:
            assert names[1] in {here, "records"} | MAY_IMPORT[here], f"{named(path)} imports {module}"


@pytest.mark.parametrize("path", FILES, ids=named)
def test_solvers_and_the_grammar_tool_stay_where_they_belong(path: Path):
    for module in imported(path):
        places = ONLY_IN.get(module.split(".")[0])
        assert places is None or named(path).startswith(places), f"{named(path)} imports {module}"


@pytest.mark.parametrize("path", FILES, ids=named)
def test_every_file_begins_by_saying_its_job(path: Path):
    text = path.read_text(encoding="utf-8")
    assert not text.strip() or ast.get_docstring(ast.parse(text)), named(path)


def test_every_file_has_its_line_in_the_architecture():
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    described = set(re.findall(r"^\| `([\w/]+\.(?:py|lark))` \|", text, re.MULTILINE))
    present = {named(path) for path in FILES if path.name != "__init__.py"} | {named(path) for path in PACKAGE.rglob("*.lark")}
    assert present - described == set(), "without a line in ARCHITECTURE.md"
    assert described - present == set(), "in ARCHITECTURE.md, but gone"


def test_the_reference_models_share_nothing_with_the_core():
    models = [path for path in (ROOT / "tests" / "reference").glob("*.py") if not path.name.startswith("test_")]
    for path in models:
        for module in imported(path):
            assert module.split(".")[0] != "specforge", f"{path.name} imports {module}"
