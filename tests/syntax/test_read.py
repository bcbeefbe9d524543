"""Files that cannot be read get a sentence, never a traceback."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from specforge.diagnostics.codes import Code
from specforge.diagnostics.render import render
from specforge.syntax.read import MAX_BYTES, read


def refused(path: str | Path) -> tuple[Code, str]:
    source, (problem,) = read(path)
    assert source is None
    return problem.code, render(problem)


def test_a_file_is_read_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.rulebook"
    path.write_bytes('rulebook "é"\r\n'.encode())
    source, problems = read(path)
    assert not problems and source is not None
    assert source.text == 'rulebook "é"\r\n' and source.path == str(path)


def test_files_that_are_not_there_or_not_files(tmp_path: Path) -> None:
    assert refused(tmp_path / "none.rulebook")[0] is Code.SF120
    assert refused(tmp_path)[0] is Code.SF120
    assert refused("a\0b")[0] is Code.SF120
    os.mkfifo(tmp_path / "pipe")
    assert refused(tmp_path / "pipe")[0] is Code.SF120


def test_a_file_in_another_encoding(tmp_path: Path) -> None:
    path = tmp_path / "a.rulebook"
    path.write_bytes(b'rulebook "t"\nsource s = "caf\xe9"\n')
    code, shown = refused(path)
    assert code is Code.SF121 and "line 2" in shown and "0xe9" in shown


def test_a_file_that_is_too_large(tmp_path: Path) -> None:
    path = tmp_path / "a.rulebook"
    path.write_bytes(b" " * (MAX_BYTES + 1))
    assert refused(path)[0] is Code.SF122


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_a_file_without_permission(tmp_path: Path) -> None:
    path = tmp_path / "a.rulebook"
    path.write_text("x")
    path.chmod(0)
    assert refused(path)[0] is Code.SF120
