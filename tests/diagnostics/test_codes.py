"""Codes are a contract: four digits are never used twice, and every one has a title of its own."""

from __future__ import annotations

import re

from specforge.diagnostics.codes import Code


def test_every_code_is_its_own() -> None:
    # two codes with one title would be one Enum member under two names
    assert len(Code.__members__) == len(list(Code))


def test_codes_and_titles_have_their_form() -> None:
    for code in Code:
        assert re.fullmatch(r"SF[1-9]\d\d", str(code))
        assert code.title and not code.title.endswith(".") and "\n" not in code.title
