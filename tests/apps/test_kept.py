"""Verdicts of an earlier run: shown where nothing has changed, and never believed unseen."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import pytest

from specforge import pipeline
from specforge.evidence import kept
from specforge.evidence.report import CheckOptions, Report
from specforge.evidence.verdict import Result, Verdict

USED = """\
rulebook "Used" "A promise elsewhere."
asset USD
party House, one:
    cash: balance USD = 0
action pay_in(amount: USD):
    require amount > 0
    receive amount into House.cash
"""
USING = """\
rulebook "Using" "What is promised of another."
use "used.rulebook" as used
asset USD
claim never_more:
    used.House.cash <= 10 USD
    expect refuted
claim never_less:
    used.House.cash >= 0
    expect proved
"""


@pytest.fixture
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(kept.VARIABLE, str(tmp_path / "kept"))
    monkeypatch.chdir(tmp_path)
    old = tmp_path.stat().st_mtime - 100
    for name, text in (("used", USED), ("using", USING)):
        path = tmp_path / f"{name}.rulebook"
        path.write_text(text)
        os.utime(path, (old, old))
    return Path("using.rulebook")


def checked(path: Path, **options: Any) -> Report:
    return pipeline.check([path], CheckOptions(keep=True, **options), lambda result: None, lambda text: None)


def claims(report: Report) -> list[Result]:
    return [each for each in report.results if each.kind == "claim"]


def entries() -> list[Path]:
    return list(kept.folder().iterdir()) if kept.folder().exists() else []


def changed(path: Path, old: str, new: str) -> None:
    """The text edited, long enough ago to be kept again."""
    before = path.stat().st_mtime
    path.write_text(path.read_text().replace(old, new))
    os.utime(path, (before + 10, before + 10))


def test_what_has_not_changed_is_shown_again_with_its_runs(book: Path):
    first, second = checked(book), checked(book)
    assert not first.files[0].kept and second.files[0].kept
    assert claims(first) == claims(second) and first.files[0].diagnostics == second.files[0].diagnostics
    refuted = claims(second)[0]
    assert refuted.verdict is Verdict.REFUTED and refuted.trace is not None
    assert [each.span.line for each in claims(first)] == [each.span.line for each in claims(second)]


def test_one_claim_is_taken_out_of_what_is_known_of_all(book: Path):
    checked(book)
    report = checked(book, only=("never_less",))
    assert report.files[0].kept and [each.name for each in report.results] == ["never_less"]


def test_an_edit_of_the_text_or_of_what_it_uses_is_decided_anew(book: Path):
    checked(book)
    changed(Path("used.rulebook"), "require amount > 0", "require amount > 0 and amount <= 2 USD and House.cash = 0")
    report = checked(book)
    assert not report.files[0].kept and claims(report)[0].verdict is not Verdict.REFUTED
    assert checked(book).files[0].kept
    changed(book, "10 USD", "1 USD")
    report = checked(book)
    assert not report.files[0].kept and claims(report)[0].verdict is Verdict.REFUTED


def test_other_options_and_another_tool_are_other_questions(book: Path, monkeypatch):
    checked(book)
    assert not checked(book, seed=1).files[0].kept
    monkeypatch.setattr(kept, "tool_digest", lambda: "another")
    assert not checked(book).files[0].kept


def test_nothing_is_kept_of_what_was_edited_meanwhile_or_if_nobody_asks(book: Path):
    pipeline.check([book], CheckOptions(), lambda result: None, lambda text: None)
    assert not entries()
    os.utime(book, (2e9, 2e9))
    checked(book)
    assert not entries()


@pytest.mark.parametrize("spoil", ("cut", "flipped", "empty", "text"))
def test_a_spoilt_entry_is_ignored(book: Path, spoil: str):
    checked(book)
    (entry,) = entries()
    data = entry.read_bytes()
    spoilt = {"cut": data[:-50], "flipped": data[:-5] + b"?" + data[-4:], "empty": b"", "text": b"{}\nhello"}
    entry.write_bytes(spoilt[spoil])
    report = checked(book)
    assert not report.files[0].kept and claims(report)[0].verdict is Verdict.REFUTED


def test_a_run_that_no_longer_replays_is_not_shown(book: Path, monkeypatch):
    checked(book)

    def otherwise(*arguments: object) -> None:
        raise kept.NotReplayed("another way")

    monkeypatch.setattr(kept, "replay", otherwise)
    assert found(book) is None


def found(book: Path) -> object:
    return kept.Store(CheckOptions(keep=True)).find(book)


def test_an_entry_can_make_nothing_but_the_projects_own_values():
    class Bad:
        def __reduce__(self) -> Any:
            return os.system, ("true",)

    with pytest.raises(pickle.UnpicklingError, match="system"):
        kept._unpickled(b"[]\n" + pickle.dumps(Bad()))


def test_a_folder_that_cannot_be_written_is_no_error(book: Path, monkeypatch, tmp_path: Path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(kept.VARIABLE, str(tmp_path / "file"))
    assert not checked(book).internal and not checked(book).files[0].kept
