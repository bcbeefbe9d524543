"""Every rulebook has its page in docs/rulebooks, made from the text as it is now."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from specforge.pages.page import stamp

ROOT = Path(__file__).parents[2]
BOOKS = sorted((ROOT / "rulebooks").rglob("*.rulebook"))


def page(book: Path) -> Path:
    return (ROOT / "docs" / "rulebooks" / book.relative_to(ROOT / "rulebooks")).with_suffix(".md")


@pytest.mark.parametrize("book", BOOKS, ids=lambda book: str(book.relative_to(ROOT)))
def test_the_page_was_made_from_this_text(book: Path):
    """If not: `specforge doc rulebooks/ --output docs/rulebooks`."""
    made = re.search(r"with the stamp (\w+) -->", page(book).read_text(encoding="utf-8"))
    assert made is not None and made[1] == stamp([book])


def test_no_page_outlives_its_rulebook():
    pages = {each for each in (ROOT / "docs" / "rulebooks").rglob("*.md") if each.name != "README.md"}
    assert pages == {page(book) for book in BOOKS}
