"""Pictures of graphs, written as SVG or drawn by matplotlib."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ._graph_picture import Picture
from ._graph_shapes import FONT, HEIGHT, Curve, Point

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

MOST_SHOWN = 60     # variables that a notebook draws without being asked

LINE, CUT, HIDDEN = "#62727f", "#b9c0c6", "#7b4fa3"
FILL, EDGE, DO_FILL, DO_EDGE, INK = "#e8f1f6", "#2a6f97", "#fbe3d0", "#e07a2f", "#1d2a33"


def _style(curve: Curve) -> tuple[str, bool]:
    """Colour, and whether it is dashed."""
    return (CUT, True) if curve.is_cut else (HIDDEN, True) if curve.first_head else (LINE, False)


def svg(drawn: Picture) -> str:
    """The picture as an SVG element. Heads are drawn and not referred to, as the ids of several pictures on a page would clash."""
    def numbers(points: Sequence[Point]) -> str:
        return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)

    height = drawn.bottom - drawn.top
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{drawn.width:.0f}" height="{height:.0f}" '
        f'viewBox="0 {drawn.top:.1f} {drawn.width:.1f} {height:.1f}" style="max-width: 100%; height: auto" '
        f'font-family="Helvetica, Arial, sans-serif" font-size="{FONT:g}" text-anchor="middle">']
    for curve in sorted(drawn.curves, key=lambda curve: not curve.is_cut):      # what is cut lies below
        colour, dashes = _style(curve)
        dash = ' stroke-dasharray="4 3"' if dashes else ""
        parts.append(
            f'<path d="M{numbers(curve.points[:1])} C{numbers(curve.points[1:])}" fill="none" stroke="{colour}" '
            f'stroke-width="1.3"{dash}/>' + "".join(
                f'<polygon points="{numbers(head)}" fill="{colour}"/>' for head in (curve.head, curve.first_head) if head))
    for curve in drawn.curves:
        if curve.label:
            x, y = curve.middle
            parts.append(f'<text x="{x:.1f}" y="{y - 0.3 * FONT:.1f}" fill="{INK}" font-size="{0.75 * FONT:g}">{html.escape(curve.label)}</text>')
    for box in drawn.boxes:
        fill, edge = (DO_FILL, DO_EDGE) if box.is_set else (FILL, EDGE)
        whole = "".join(c if c.isprintable() else "\ufffd" for c in box.name)
        parts.append(
            f'<g><title>{html.escape(whole)}</title><rect x="{box.x - box.width / 2:.1f}" y="{box.y - HEIGHT / 2:.1f}" '
            f'width="{box.width:.1f}" height="{HEIGHT:g}" rx="{HEIGHT / 2:g}" fill="{fill}" stroke="{edge}" '
            f'stroke-width="{2 if box.is_set else 1.2}"/>'
            f'<text x="{box.x:.1f}" y="{box.y + 0.35 * FONT:.1f}" fill="{INK}">{html.escape(box.label)}</text></g>')
    return "".join([*parts, "</svg>"])


def draw(drawn: Picture, ax: Axes | None) -> Axes:
    """Draws the picture on axes of matplotlib's; by default those of a new figure of the picture's size."""
    import matplotlib.pyplot as plt
    from matplotlib.patches import FancyBboxPatch, PathPatch, Polygon
    from matplotlib.path import Path

    height = drawn.bottom - drawn.top
    figure: Figure | SubFigure
    if ax is None:
        shrink = min(1.0, 16 * 72 / drawn.width, 12 * 72 / height)
        figure = plt.figure(figsize=(drawn.width * shrink / 72, height * shrink / 72))
        ax = figure.add_axes((0, 0, 1, 1))
    else:
        figure = ax.figure
    ax.set_axis_off()
    ax.set_aspect("equal")
    ax.set_xlim(0, drawn.width)
    ax.set_ylim(drawn.bottom, drawn.top)
    # Text and lines are measured in points of paper: as many as a unit of the picture has.
    room = ax.get_window_extent()
    scale = min(room.width / drawn.width, room.height / height) * 72 / figure.dpi
    for curve in drawn.curves:
        colour, dashes = _style(curve)
        order = 1 if curve.is_cut else 2
        path = Path(curve.points, [Path.MOVETO, *[Path.CURVE4] * (len(curve.points) - 1)])
        ax.add_patch(PathPatch(path, fill=False, edgecolor=colour, linewidth=1.3 * scale, zorder=order,
                               linestyle=(0, (3, 2.3)) if dashes else "solid"))
        if curve.label:
            ax.text(*curve.middle, curve.label, ha="center", va="bottom", color=INK, fontsize=0.7 * FONT * scale, zorder=4, parse_math=False)
        for head in (curve.head, curve.first_head):
            if head:
                ax.add_patch(Polygon(head, closed=True, color=colour, linewidth=0, zorder=order))
    for box in drawn.boxes:
        fill, edge = (DO_FILL, DO_EDGE) if box.is_set else (FILL, EDGE)
        ax.add_patch(FancyBboxPatch(
            (box.x - box.width / 2, box.y - HEIGHT / 2), box.width, HEIGHT, boxstyle=f"round,pad=0,rounding_size={HEIGHT / 2}",
            facecolor=fill, edgecolor=edge, linewidth=(2 if box.is_set else 1.2) * scale, zorder=3))
        ax.text(
            box.x, box.y, box.label, ha="center", va="center_baseline", color=INK, fontsize=0.95 * FONT * scale, zorder=4,
            parse_math=False)
    return ax
