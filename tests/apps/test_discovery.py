"""Which files `check` takes up."""

from __future__ import annotations

from pathlib import Path

from specforge.apps.rulebooks import discover

LITERATE = '# A rulebook in prose\n\n```rulebook\nrulebook "Prose"\n```\n'


def test_directories_are_searched_in_order(tmp_path: Path):
    for name in ("b.rulebook", "a/z.rulebook", "a/notes.md", "a/prose.md", ".hidden/c.rulebook", "d.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(LITERATE if name.endswith("prose.md") else "nothing here")
    found = [str(path.relative_to(tmp_path)) for path in discover([str(tmp_path)])]
    assert found == ["a/prose.md", "a/z.rulebook", "b.rulebook"]


def test_a_file_named_twice_is_taken_once(tmp_path: Path):
    path = tmp_path / "a.rulebook"
    path.write_text("")
    assert discover([str(path), str(tmp_path)]) == [path]
