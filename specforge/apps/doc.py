"""`specforge doc`: a rulebook as a page for reviewers: rules in sentences, verdicts, counterexamples told."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from attrs import evolve

from specforge.apps import rulebooks
from specforge.apps.check import check_options, checked
from specforge.apps.errors import UsageError
from specforge.apps.problems import print_diagnostics
from specforge.apps.terminal import opened
from specforge.evidence.report import Exit, FileReport
from specforge.pages.draw import CannotDraw
from specforge.pages.page import Page, index_page, markdown, rulebook_page, stamp
from specforge.pages.web import html
from specforge.syntax.parse import parse
from specforge.syntax.read import read

SUFFIXES = {"markdown": ".md", "html": ".html"}


def main(options: argparse.Namespace) -> int:
    paths = rulebooks.discover(options.files)
    several = len(paths) > 1 or Path(options.files[0]).is_dir()
    if several and options.output is None:
        raise UsageError("several pages need `--output DIRECTORY`")
    if several and Path(options.output).is_file():
        raise UsageError(f"`{options.output}` is a file; several pages need a directory")
    report = checked(paths, evolve(check_options(options), proofs=False))
    for file in report.files:
        print_diagnostics(list(file.diagnostics), options.color)
    compiled = [each for each in report.files if each.system is not None]
    if several:
        _write_all(compiled, Path(options.output), options)
    elif compiled:
        with opened(options.output) as stream:
            stream.write(text_of(page_of(compiled[0]), options.format, compiled[0].path))
    if len(compiled) < len(report.files):
        return Exit.NOT_A_RULEBOOK
    return Exit.INTERRUPTED if report.interrupted else Exit.MET


def page_of(file: FileReport) -> Page:
    assert file.system is not None
    source, _ = read(file.path)
    book, _ = parse(source) if source is not None else (None, [])
    assert book is not None
    return rulebook_page(book, file.system, file.results, str(file.path))


def text_of(page: Page, format: str, path: Path) -> str:
    """The page in `format`; Markdown says below which text it was made from."""
    if format == "markdown":
        return markdown(page) + f"\n<!-- made by `specforge doc` from a text with the stamp {stamp([path])} -->\n"
    try:
        return html(page)
    except CannotDraw as problem:
        raise UsageError(str(problem)) from None


def _write_all(files: Sequence[FileReport], folder: Path, options: argparse.Namespace) -> None:
    """Each page at the place that its rulebook has below the common directory."""
    top = Path(os.path.commonpath([file.path.parent for file in files])) if files else Path()
    for file in files:
        target = (folder / file.path.relative_to(top)).with_suffix(SUFFIXES[options.format])
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text_of(page_of(file), options.format, file.path), encoding="utf-8")
        except OSError as problem:
            raise UsageError(f"cannot write `{target}`: {(problem.strerror or 'failed').lower()}") from None
    if options.format == "markdown":
        index = index_page([(file, (file.path.relative_to(top)).with_suffix(".md").as_posix()) for file in files])
        (folder / "README.md").write_text(markdown(index), encoding="utf-8")
    print(f"specforge: {len(files)} pages below {folder}", file=sys.stderr)
