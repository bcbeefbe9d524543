"""A page as one HTML file that needs nothing else: no script, no font, no address."""

from __future__ import annotations

from html import escape
from importlib.util import find_spec

from specforge.pages.draw import CannotDraw, svg
from specforge.pages.page import Page

STYLE = """
body { font: 16px/1.5 Georgia, 'Times New Roman', serif; color: #1a1a1a; background: #fff }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h1, h2, h3 { line-height: 1.2; margin: 2rem 0 .6rem }
h1 { font-size: 1.7rem } h2 { font-size: 1.3rem; border-bottom: 1px solid #bbb } h3 { font-size: 1.05rem; font-weight: normal }
code { font: .86em/1.4 ui-monospace, Menlo, Consolas, monospace; background: #f3f3f1; padding: .05em .3em; border-radius: .2em }
table { border-collapse: collapse; width: 100%; margin: 1rem 0; font-size: .92rem }
th { text-align: left; border-bottom: 2px solid #333; padding: .25rem .8rem .25rem 0; vertical-align: bottom }
td { border-bottom: 1px solid #ddd; padding: .3rem .8rem .3rem 0; vertical-align: top }
figure { margin: 1.5rem 0 } figure svg { max-width: 100%; height: auto } em { color: #555 }
@media print { body { margin: 0; max-width: none } h2, h3 { break-after: avoid } table, figure { break-inside: avoid } }
"""


def html(page: Page) -> str:
    """The page as HTML.  Whatever the rulebook says is text, never markup.  Raises CannotDraw."""
    if find_spec("markdown_it") is None:
        raise CannotDraw("HTML pages need markdown-it-py: `pip install 'specforge[pictures]'`")
    from markdown_it import MarkdownIt

    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    body = [reader.render(each) if isinstance(each, str) else f"<figure>{svg(each)}</figure>\n" for each in page.blocks]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">"
        f"<title>{escape(page.title)}</title><style>{STYLE}</style></head>\n<body>\n{''.join(body)}</body></html>\n"
    )
