"""The tables in the package are those of the grammar, and nothing at run time needs Lark."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from specforge.syntax import build, construct
from specforge.syntax.lex import ALSO_NAMES, RESERVED
from specforge.syntax.tables import METHODS


def test_tables_are_up_to_date_and_the_grammar_has_no_conflict() -> None:
    pytest.importorskip("lark")
    text = build.build(build.GRAMMAR.read_text(encoding="utf-8"))
    assert build.TABLES.read_text(encoding="utf-8") == text, "run python -m specforge.syntax.build"


def test_every_rule_has_a_method_and_every_method_a_rule() -> None:
    own = {n for n in vars(construct.Construct) if not n.startswith("_")}
    assert set(METHODS) <= own
    assert own - set(METHODS) == {"attach", "dangling", "leaf", "slash_in_unit"}


def test_reserved_words_are_the_quoted_words_of_the_grammar() -> None:
    rules = re.sub(r"//[^\n]*", "", build.GRAMMAR.read_text(encoding="utf-8"))
    assert frozenset(re.findall(r'"([a-z]+)"', rules)) == RESERVED | ALSO_NAMES


def test_reading_a_rulebook_does_not_import_lark() -> None:
    program = "import sys, specforge.syntax.parse; sys.exit('lark' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
