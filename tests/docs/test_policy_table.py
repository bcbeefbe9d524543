"""The table of policies against properties in the recipes is what the rulebooks of adl_policy expect, cell by cell."""

from __future__ import annotations

import re
from pathlib import Path

from specforge.elaborate import load

ROOT = Path(__file__).parents[2]
RECIPES = (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8")


def printed() -> dict[tuple[str, str], str]:
    """What stands in the table: claim and policy, and the verdict."""
    section = RECIPES.split("## 10. ")[1]
    lines = re.findall(r"^\| (.+) \|$", section, re.MULTILINE)
    head, _, *rows = [[cell.strip().strip("`") for cell in line.split(" | ")] for line in lines]
    return {(row[0], policy): verdict for row in rows for policy, verdict in zip(head[1:], row[1:], strict=True)}


def expected() -> dict[tuple[str, str], str]:
    """What the rulebooks expect; without an assumption, of every policy."""
    found: dict[tuple[str, str], str] = {}
    policies = list(dict.fromkeys(policy for _, policy in printed()))
    for book in sorted((ROOT / "rulebooks" / "adl_policy").glob("*.rulebook")):
        system, _ = load(str(book))
        assert system is not None
        for claim in system.claims.values():
            for each in claim.expects:
                given = [assumption.text.removeprefix("policy = ") for assumption in each.given] or policies
                found |= {(claim.name, policy): each.verdict.upper() for policy in given}
    return found


def test_the_table_of_policies_is_what_the_rulebooks_expect():
    asked = {place: verdict for place, verdict in printed().items() if verdict != "·"}
    assert asked == expected()
