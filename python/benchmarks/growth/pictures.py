"""Two pictures: time of a step, and memory, along each axis."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

COLOURS = {"1": "#1b6ca8", "2": "#d1495b"}


def draw(rows: list[dict[str, Any]], folder: Path) -> list[Path]:
    """Of the rows of growth.json; returns the files."""
    axes = list(dict.fromkeys(row["axis"] for row in rows))
    pictures = []
    for name, title, panel in (("growth_time.png", "microseconds of a training step", time_panel),
                               ("growth_memory.png", "MiB that training takes beyond data and program", memory_panel)):
        across = min(3, len(axes))
        down = -(-len(axes) // across)
        figure, panels = plt.subplots(down, across, figsize=(4 * across, 3.2 * down), squeeze=False, layout="constrained")
        for place in panels.flat[len(axes):]:
            place.remove()
        for axis, place in zip(axes, panels.flat):
            of_axis = [row for row in rows if row["axis"] == axis]
            panel(place, of_axis)
            place.set_xscale("symlog" if of_axis[0]["value"] == 0 else "log", base=10 if axis in ("batch", "rows") else 2)
            low, high = place.get_ylim()
            if high < 10 * low:
                place.set_ylim(0, 1.25 * high)      # a narrow range as it is, from 0
            else:
                place.set_yscale("log")
            place.set_xlabel(axis)
            place.set_title(of_axis[0]["network"], fontsize=9)
            place.grid(alpha=0.3, which="both", linewidth=0.4)
            place.legend(fontsize=7)
        figure.suptitle(title, fontsize=10)
        pictures.append(folder / name)
        figure.savefig(pictures[-1], dpi=100)
        plt.close(figure)
    return pictures


def time_panel(place: Any, rows: list[dict[str, Any]]) -> None:
    for threads in rows[0]["us"]:
        place.plot([row["value"] for row in rows], [row["us"][threads] for row in rows], "o-", markersize=3.5, color=COLOURS.get(str(threads)),
                   label=f"{threads} thread{'s' * (str(threads) != '1')}")


def memory_panel(place: Any, rows: list[dict[str, Any]]) -> None:
    values = [row["value"] for row in rows]
    place.plot(values, [row["bytes"] / 2**20 for row in rows], "o-", markersize=3.5, color=COLOURS["1"], label="measured")
    if rows[0]["allowed"] is not None:
        place.plot(values, [row["allowed"] / 2**20 for row in rows], "--", color="#555555", label="parameters x 4 + activations + 10 MiB")
