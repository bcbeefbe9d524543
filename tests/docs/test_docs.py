"""What the pages show is true: every rulebook block compiles, every scenario in one holds, every command prints these rows.

A line of HTML comment above a block, which readers do not see, says how it is to be read:

    <!-- rulebook: after venue -->                  the items below stand after those of preludes/venue.rulebook
    <!-- rulebook: after venue, in action -->       the statements stand in an action of it
    <!-- rulebook: after venue, in duty -->         … in a duty
    <!-- rulebook: after venue, as values -->       each line is a value of its own
    <!-- rulebook: after venue, refused SF312 -->   it does not compile, and these are the codes of the mistakes
    <!-- file: venue.rulebook -->                   a whole file, for the commands further down
    <!-- replaces in venue.rulebook: duty liquidate -->   the item with this header is replaced by the block
    <!-- adds to venue.rulebook -->                 the block is added at the end of the file

Without one, a block is a complete rulebook.  A `console` block is a session in a directory with these files; commands are
executed with a small budget, and the verdicts that they print may not contradict those of the page.  With SPECFORGE_DOCS=1 they
are executed as they stand, and the verdicts must be those of the page.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import frozen

from specforge.apps import cli
from specforge.core import ir
from specforge.elaborate import compile_text
from specforge.engines.scenarios import scenario_outcome
from specforge.evidence.report import Exit
from specforge.evidence.verdict import FREE_CHECKS
from specforge.syntax.lex import RESERVED

ROOT = Path(__file__).parents[2]
PRELUDES = Path(__file__).parent / "preludes"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "examples" / "README.md"]
BLOCK = re.compile(r"(?:^<!-- (?P<note>[^\n]*) -->\n)?^```(?P<language>\w+)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
ARGUMENTS = "t: Trader, u: Trader, amount: USD, size: BTC, price: USD per BTC"
WITHIN = {
    "action": f"action example({ARGUMENTS}):",
    "duty": "duty example(t: Trader) after round:",
}
FULL = bool(os.environ.get("SPECFORGE_DOCS"))
SHORT = ["--budget", "2", "--jobs", "1"]
ROW = re.compile(r"^  (PROVED|BOUNDED|REFUTED|UNKNOWN|REACHED|HOLDS|FAILS) +(\w+)(?! +\(free check\))(?= |$)", re.MULTILINE)


@frozen
class Block:
    page: Path
    line: int
    language: str
    note: str
    body: str

    @property
    def place(self) -> str:
        return f"{self.page.name}:{self.line}"


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for found in BLOCK.finditer(text):
        line = text.count("\n", 0, found.start("body"))
        yield Block(page, line, found["language"], found["note"] or "", found["body"])


RULEBOOKS = [each for page in PAGES if page.exists() for each in blocks(page) if each.language == "rulebook"]
SESSIONS = [page for page in PAGES if page.exists() and any(each.language == "console" for each in blocks(page))]


def test_the_pages_are_there() -> None:
    for name in ("language.md", "recipes.md", "tutorial.md", "verdicts.md"):
        assert any(each.name == name for each in PAGES), name
    assert len(RULEBOOKS) > 30


def text_of(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def test_the_reserved_words_are_those_of_the_language() -> None:
    section = text_of("language.md").partition("These 64 words")[2]
    listed = section.partition("another:\n\n")[2].partition("\n\n")[0].split()
    assert listed == sorted(RESERVED)
    assert len(listed) == 64


def test_the_free_checks_and_the_exit_codes_are_all_explained() -> None:
    section = text_of("verdicts.md").partition("## Free checks")[2].partition("## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == list(FREE_CHECKS)
    codes = text_of("verdicts.md").partition("## Exit codes")[2].partition("## ")[0]
    assert [int(each) for each in re.findall(r"^\| (\d+) \|", codes, re.MULTILINE)] == [int(each) for each in Exit]


def test_links_between_the_pages_lead_somewhere() -> None:
    for page in PAGES:
        for target, anchor in re.findall(r"\]\(([\w./-]*)(?:#([\w-]+))?\)", page.read_text(encoding="utf-8")):
            to = (page.parent / target) if target else page
            assert to.exists(), f"{page.name}: {target}"
            if anchor:
                heads = re.findall(r"^#+ (.+)$", to.read_text(encoding="utf-8"), re.MULTILINE)
                assert anchor in {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in heads}, (
                    f"{page.name}: #{anchor}"
                )


# ------------------------------------------------------------ rulebook blocks


def completed(block: Block) -> tuple[str, list[str]]:
    """The block as a whole rulebook, and the codes with which it is refused."""
    kind, _, rest = block.note.partition(": ")
    clauses = [each.strip().split(" ", 1) for each in rest.split(",")] if kind == "rulebook" else []
    body, refused = block.body, []
    for word, value in clauses:
        if word == "in":
            body = WITHIN[value] + "\n" + indented(body)
        elif word == "as":
            body = values(body)
        elif word == "refused":
            refused += value.split()
    for word, value in clauses:
        if word == "after":
            body = (PRELUDES / f"{value}.rulebook").read_text(encoding="utf-8") + body
    return body, refused


def indented(text: str) -> str:
    return "".join(f"    {line}" if line.strip() else line for line in text.splitlines(keepends=True))


def values(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    lets = "".join(f"    let value_{at} = {line}\n" for at, line in enumerate(lines))
    return WITHIN["action"] + "\n" + lets


WHOLE = [each for each in RULEBOOKS if not each.note.startswith(("adds", "replaces"))]


@pytest.mark.parametrize("block", WHOLE, ids=lambda block: block.place)
def test_a_block_compiles_and_its_scenarios_hold(block: Block, tmp_path: Path) -> None:
    text, refused = completed(block)
    files = [each for each in RULEBOOKS if each.page == block.page and each.note.startswith("file:")]
    beside = [*PRELUDES.glob("*.rulebook"), *files]
    for each in beside:
        name, body = (each.note.split()[1], each.body) if isinstance(each, Block) else (each.name, each.read_text("utf-8"))
        (tmp_path / name).write_text(body, encoding="utf-8")
    system, problems = compile_text(text, str(tmp_path / f"{block.page.stem}.rulebook"))
    assert [str(each.code) for each in problems] == refused, [f"{each.span.line}: {each.message}" for each in problems]
    if system is not None:
        assert_scenarios_hold(system)


def assert_scenarios_hold(system: ir.System) -> None:
    for scenario in system.scenarios.values():
        outcome = scenario_outcome(system, scenario)
        assert outcome.holds, f"{scenario.name}: {outcome.reason}"


# ------------------------------------------------------------ sessions


@pytest.mark.parametrize("page", SESSIONS, ids=lambda page: page.name)
def test_a_session_prints_what_the_page_shows(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    for block in blocks(page):
        if block.language == "rulebook":
            kept(block, tmp_path)
        elif block.language == "console":
            for command, shown in commands(block.body):
                said(command, shown, block, capsys)
    for path in tmp_path.glob("*.rulebook"):
        system, problems = compile_text(path.read_text(encoding="utf-8"), path.name)
        if system is not None:
            assert_scenarios_hold(system)
        assert problems == [] or "refused" in path.name


def kept(block: Block, folder: Path) -> None:
    """Writes the block into the file that its note names."""
    words = block.note.split()
    if words[:1] == ["file:"]:
        (folder / words[1]).write_text(block.body, encoding="utf-8")
    elif words[:2] == ["adds", "to"]:
        path = folder / words[2]
        path.write_text(path.read_text(encoding="utf-8") + "\n" + block.body, encoding="utf-8")
    elif words[:2] == ["replaces", "in"]:
        path, header = folder / words[2].rstrip(":"), " ".join(words[3:])
        text = path.read_text(encoding="utf-8")
        found = re.search(rf"^{header}\b.*?(?=^\w|\Z)", text, re.MULTILINE | re.DOTALL)
        assert found, header
        path.write_text(text[: found.start()] + block.body + "\n" + text[found.end() :], encoding="utf-8")


def commands(session: str) -> Iterator[tuple[list[str], str]]:
    """The `$ specforge …` lines, each with what it prints."""
    for part in re.split(r"^\$ ", session, flags=re.MULTILINE)[1:]:
        line, _, shown = part.partition("\n")
        words = shlex.split(line.partition("  #")[0])
        if words[:1] == ["specforge"]:
            yield words[1:], shown


def said(command: list[str], shown: str, block: Block, capsys) -> None:
    options = cli._arguments().parse_args(command)  # the command line is one that the tool understands
    files = [*getattr(options, "paths", []), *([options.file] if hasattr(options, "file") else [])]
    if not shown.strip() or not files or not all(Path(each).is_file() for each in files):
        return
    place = f"{block.place}: specforge {' '.join(command)}"
    if options.verb == "check":
        rows_agree(decided(shown), decided(printed_by(quickly(command, shown), capsys)), place)
    elif options.verb == "run" or FULL:
        assert without_times(printed_by(command, capsys)) == without_times(shown), place


def printed_by(command: list[str], capsys) -> str:
    capsys.readouterr()
    cli.main(command)
    return capsys.readouterr().out


def quickly(command: list[str], shown: str) -> list[str]:
    """The command with a small budget, and asking only for what the page shows of claims, reaches and scenarios."""
    if FULL:
        return command
    only = [word for name in dict.fromkeys(name for name, _ in decided(shown)) for word in ("--only", name)]
    return [*command, *SHORT, *([] if "--only" in command else only)]


def decided(text: str) -> dict[tuple[str, int], str]:
    """The verdicts by name, and which row of that name."""
    rows: dict[tuple[str, int], str] = {}
    for verdict, name in ROW.findall(text):
        rows[name, sum(other == name for other, _ in rows)] = verdict
    return rows


def rows_agree(page: dict[tuple[str, int], str], printed: dict[tuple[str, int], str], place: str) -> None:
    """In a short time a row may stay undecided; it may never be decided otherwise."""
    assert page.keys() == printed.keys(), place
    for row, verdict in page.items():
        undecided = () if FULL else ("UNKNOWN", "BOUNDED")
        assert printed[row] in (verdict, *undecided), f"{place}: {row[0]}"


def without_times(text: str) -> list[str]:
    """The lines, without how long they took and without spaces that only align."""
    lines = [re.sub(r" +", " ", re.sub(r"\d+(\.\d+)? s\b", "… s", line)).strip() for line in text.splitlines()]
    return [line for line in lines if line]
