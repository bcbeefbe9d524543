"""Draws pictures as SVG, readable in print and by readers who do not see colours: line styles and marks differ as well."""

from __future__ import annotations

from importlib.util import find_spec
from io import StringIO
from typing import Any

from specforge.pages.series import Curve, Line, OverTime, Panel, Payments, Picture

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000", "#999933")  # after Okabe and Ito
STYLES = ("-", "--", "-.", ":", (0, (6, 1, 1, 1, 1, 1)), (0, (3, 1)), (0, (1, 1)), (0, (8, 3)))
MARKS = ("o", "s", "^", "D", "v", "P", "X", "*")
WIDTH, HEIGHT = 7.2, 2.4  # inches: of a picture, of one panel


class CannotDraw(Exception):
    """The plotting library is not installed."""


def svg(picture: Picture) -> str:
    """The picture as SVG text: the same figures give the same text.  Raises CannotDraw."""
    if find_spec("matplotlib") is None:
        raise CannotDraw("pictures need matplotlib: `pip install 'specforge[pictures]'`")
    import matplotlib

    matplotlib.use("svg")
    settings: dict[Any, Any] = {
        "svg.fonttype": "none", "svg.hashsalt": "specforge", "font.family": "sans-serif", "font.size": 9,
        "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "grid.alpha": 0.3, "legend.frameon": False,
        "axes.formatter.useoffset": False, "axes.formatter.limits": (-6, 9), "text.parse_math": False,
    }  # fmt: skip
    with matplotlib.rc_context(settings):
        figure = _drawn(picture)
        text = StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None}, bbox_inches="tight")
    drawing = text.getvalue()
    return drawing[drawing.index("<svg") :]


def _drawn(picture: Picture) -> Any:
    match picture:
        case OverTime(title, steps, panels):
            return _over_time(title, steps, panels)
        case Payments(title, unit, bars):
            return _payments(title, unit, bars)
        case Curve():
            return _curve(picture)


def _figure(rows: int, height: float) -> tuple[Any, list[Any]]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, height))
    axes = figure.subplots(max(rows, 1), 1, squeeze=False, sharex=True)
    for row in axes:
        row[0].yaxis.set_major_formatter(_grouped)
    return figure, [row[0] for row in axes]


def _over_time(title: str, steps: tuple[str, ...], panels: tuple[Panel, ...]) -> Any:
    figure, axes = _figure(len(panels), HEIGHT * max(len(panels), 1) + 0.3)
    axes[0].set_title(title, loc="left")
    for axis, panel in zip(axes, panels, strict=False):
        for at, line in enumerate(panel.lines):
            style = {"color": COLOURS[at], "linestyle": STYLES[at], "marker": MARKS[at], "markersize": 4}
            axis.plot(range(len(steps)), _floats(line), drawstyle="steps-post", label=line.name, **style)
        axis.set_ylabel(panel.unit)
        axis.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
    axes[-1].set_xticks(range(len(steps)), [_short(step) for step in steps], rotation=35, ha="right")
    return figure


def _payments(title: str, unit: str, bars: tuple[tuple[str, Any], ...]) -> Any:
    figure, (axis,) = _figure(1, 0.9 + 0.34 * len(bars))
    for at, (_, value) in enumerate(bars):
        hatch, colour = ("///", COLOURS[1]) if value < 0 else ("", COLOURS[0])
        axis.barh(at, float(value), color=colour, hatch=hatch, edgecolor="white")
        axis.annotate(
            f" {float(value):+,g} ".replace(",", "_"), (float(value), at), va="center", ha="left" if value >= 0 else "right"
        )
    axis.set_yticks(range(len(bars)), [name for name, _ in bars])
    axis.xaxis.set_major_formatter(_grouped)
    axis.axvline(0, color="black", linewidth=0.8)
    axis.margins(x=0.18)
    axis.set_xlabel(unit)
    axis.set_title(title, loc="left")
    return figure


def _curve(curve: Curve) -> Any:
    figure, (axis,) = _figure(1, HEIGHT + 1)
    for at, line in enumerate(curve.panel.lines):
        style = {"color": COLOURS[at], "linestyle": STYLES[at], "linewidth": 1.8}
        axis.plot([float(place) for place in curve.places], _floats(line), label=line.name, **style)
    axis.set_xlabel(f"{curve.varied} ({curve.unit})" if curve.unit else curve.varied)
    axis.set_ylabel(curve.panel.unit)
    axis.set_title(_short(curve.title, 80), loc="left")
    axis.legend(loc="best")
    return figure


def _floats(line: Line) -> list[float]:
    return [float("nan") if value is None else float(value) for value in line.values]


def _short(text: str, most: int = 34) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _grouped(value: float, _: int) -> str:
    """`100_000`, as rulebooks write it."""
    return f"{value:,g}".replace(",", "_") if abs(value) < 1e6 else f"{value:,.0f}".replace(",", "_")
