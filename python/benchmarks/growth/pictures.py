"""One picture: along each axis the time of a step above, and below it the memory beside what is allowed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullLocator

COLOURS = {"1": "#1b6ca8", "2": "#d1495b"}
GREY = "#555555"
LABELS = {"width": "units of each hidden layer", "depth": "hidden layers", "batch": "rows a step", "rows": "rows streamed in all",
          "intervened units": "units set by do()", "threads": "threads"}
ACROSS = 3
MOST_TICKS = 6

Rows = list[dict[str, Any]]


def draw(rows: Rows, folder: Path) -> list[Path]:
    """Of the rows of growth.json; returns the files."""
    axes = list(dict.fromkeys(row["axis"] for row in rows))
    predicts = any(row["predicted"] for row in rows)
    names = [*axes, *(["threads"] if predicts else [])]
    across = min(ACROSS, len(names))
    down = -(-len(names) // across)
    figure, panels = plt.subplots(2 * down, across, figsize=(3.4 * across, 4.2 * down), squeeze=False, layout="constrained")
    for place in panels.flat:
        place.set_visible(False)
    for number, name in enumerate(names):
        line, column = divmod(number, across)
        above, below = panels[2 * line, column], panels[2 * line + 1, column]
        above.set_visible(True)
        below.set_visible(True)
        if name == "threads":
            threads_panel(above, rows)
            below.axis("off")
            below.legend(*above.get_legend_handles_labels(), loc="upper center", fontsize=9, frameon=False, title="network of")
            continue
        here = [row for row in rows if row["axis"] == name]
        time_panel(above, here)
        memory_panel(below, here)
        for place, unit in ((above, duration), (below, lambda mib: f"{mib:,.4g}")):
            across_axis(place, here)
            up_axis(place, unit)
        above.set_title(here[0]["network"], fontsize=8.5)
        if column == 0:
            above.set_ylabel("time of a step", fontsize=9)
            below.set_ylabel("memory, MiB", fontsize=9)
    keys = {label: line for place in panels.flat for line, label in zip(*place.get_legend_handles_labels()) if not place.get_label()}
    figure.legend(keys.values(), keys.keys(), loc="outside upper center", ncols=4, fontsize=9, frameon=False)
    picture = folder / "growth.png"
    figure.savefig(picture, dpi=100)
    plt.close(figure)
    return [picture]


def time_panel(place: Any, rows: Rows) -> None:
    for threads in rows[0]["us"]:
        place.plot([row["value"] for row in rows], [row["us"][threads] for row in rows], "o-", markersize=3.5, color=COLOURS.get(str(threads)),
                   label=f"time on {threads} thread{'s' * (str(threads) != '1')}")


def memory_panel(place: Any, rows: Rows) -> None:
    values = [row["value"] for row in rows]
    place.plot(values, [row["bytes"] / 2**20 for row in rows], "s-", markersize=3.5, color="#3b7a57", label="memory beyond data and program")
    place.plot(values, [row["allowed"] / 2**20 for row in rows], "--", color=GREY, label="parameters x 4 + activations + 10 MiB")


def threads_panel(place: Any, rows: Rows) -> None:
    """How many times as fast the largest points are as on one thread: measured, and what the parts of their products allow."""
    place.set_label("threads")
    for axis, colour in zip(("width", "batch"), ("#1b6ca8", "#8d5a97")):
        for row, style in zip([row for row in rows if row["axis"] == axis and row["predicted"]][:-3:-1], ("-", ":")):
            one = row["us"][1]
            speed = {threads: one / us for threads, us in {**row["us"], **row["predicted"]}.items()}
            place.plot(speed.keys(), speed.values(), style, color=colour, label=f"{axis} {row['value']:,}")
            place.plot(row["us"].keys(), [speed[threads] for threads in row["us"]], "o", markersize=4, color=colour)
    place.set_xscale("log", base=2)
    place.xaxis.set_major_formatter(FuncFormatter(lambda threads, _: f"{threads:.0f}"))
    place.set_ylim(0)
    place.set_title("times as fast; measured: dots, predicted: lines", fontsize=8.5)
    place.set_xlabel(LABELS["threads"], fontsize=9)
    place.tick_params(labelsize=8)
    place.grid(alpha=0.3, linewidth=0.4)


def across_axis(place: Any, rows: Rows) -> None:
    values = [row["value"] for row in rows]
    place.set_xscale("symlog" if values[0] == 0 else "log")
    step = -(-len(values) // MOST_TICKS)
    place.xaxis.set_major_locator(FixedLocator(values[(len(values) - 1) % step::step]))
    place.xaxis.set_minor_locator(NullLocator())
    place.xaxis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))
    place.set_xlabel(LABELS[rows[0]["axis"]], fontsize=9)


def up_axis(place: Any, unit: Callable[[float], str]) -> None:
    low, high = place.get_ylim()
    if high < 10 * low:
        place.set_ylim(0, 1.25 * high)      # a narrow range as it is, from 0
    else:
        place.set_yscale("log")
        place.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 1000 * low else (1,)))
        place.yaxis.set_minor_locator(NullLocator())
    place.yaxis.set_major_formatter(FuncFormatter(lambda value, _: unit(value)))
    place.tick_params(labelsize=8)
    place.grid(alpha=0.3, linewidth=0.4)


def duration(us: float) -> str:
    for size, unit in ((1e6, "s"), (1e3, "ms")):
        if us >= size:
            return f"{us / size:.4g} {unit}"
    return f"{us:.4g} us" if us else "0"


def short(value: float) -> str:
    for size, unit in ((1e6, "M"), (1e4, "k")):
        if value >= size:
            return f"{value / (1e3 if unit == 'k' else size):.4g}{unit}"
    return f"{value:,.0f}"
