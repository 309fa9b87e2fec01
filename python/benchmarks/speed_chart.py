"""Draws the chart of README.md from run.json of bench_speed.py: microseconds of a training step, everybody's, on one thread and on two. And takes
over the picture of bench_growth.py, where that is beside it.

    python speed_chart.py [--run build/bench/run.json] [--picture python/docs/speed.png]

It prints the section on speed for README.md: table, machine, date and command of the run, and from goals.json beside it what was reached.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from peers.machine import REPOSITORY

COLOURS = {"engine": "#1b6ca8", "engine-in-torch": "#7fb2d9", "torch": "#f2c6a0", "torch-fused": "#e8975a", "torch-compile": "#c8622a",
           "torch-compile-step": "#8f3f14",
           "jax": "#a8d5a2", "jax-scan": "#4f9d4f", "numpy": "#9a9a9a"}
LARGEST = 200_000       # bytes, of a picture in the repository

Rows = list[dict[str, Any]]


def cases(rows: Rows) -> list[tuple[str, int]]:
    return list(dict.fromkeys((row["network"], row["batch"]) for row in rows))


def draw(rows: Rows, picture: Path) -> None:
    """A panel for each number of threads, a group of bars for each problem, a bar for each peer."""
    threads = sorted({row["threads"] for row in rows})
    figure, panels = plt.subplots(len(threads), 1, figsize=(10, 2.6 * len(threads) + 0.5), squeeze=False, layout="constrained")
    for count, panel in zip(threads, panels[:, 0]):
        for group, case in enumerate(cases(rows)):
            here = [row for row in rows if row["threads"] == count and (row["network"], row["batch"]) == case]
            for place, row in enumerate(sorted(here, key=lambda row: list(COLOURS).index(row["peer"]))):
                x = group + 0.1 * (place - (len(here) - 1) / 2)
                panel.bar(x, row["median_us"], width=0.1, color=COLOURS[row["peer"]], label=row["peer"] if group == 0 else None)
                panel.text(x, row["median_us"], f" {short(row['median_us'])}", rotation=90, ha="center", va="bottom", fontsize=6)
        panel.set_yscale("log")
        panel.margins(y=0.25)
        panel.set_xticks(range(len(cases(rows))), [f"{network}\n{batch} rows" for network, batch in cases(rows)], fontsize=8)
        panel.set_ylabel(f"us a step,\n{count} thread{'s' * (count > 1)}", fontsize=8)
        panel.tick_params(axis="y", labelsize=7)
        panel.spines[["top", "right"]].set_visible(False)
    figure.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=len(COLOURS), fontsize=7.5, frameon=False)
    picture.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(picture, dpi=110)
    plt.close(figure)


def short(microseconds: float) -> str:
    return f"{microseconds:.1f}" if microseconds < 10 else f"{microseconds:,.0f}" if microseconds < 10_000 else f"{microseconds / 1e3:,.0f} ms"


def multiple(ratio: float) -> str:
    return f"{ratio:,.0f}" if ratio >= 100 else f"{ratio:.3g}"


def caption(run: dict[str, Any]) -> str:
    machine = run["machine"]
    peaks = ", ".join(f"{float(gflops):.0f} GFLOP/s on {threads}" for threads, gflops in run["peak_gflops"].items())
    return (f"`make bench-peers bench bench-chart` on {machine['processor']}, {machine['cores']} cores, {machine['date']}; {', '.join(run['versions'])}"
            + (f"; multiply-adds at most {peaks} thread(s)." if peaks else "."))


def table(rows: Rows) -> str:
    """The engine's time, and how many times as long the others take, with as many threads."""
    others = [peer for peer in COLOURS if peer != "engine" and any(row["peer"] == peer for row in rows)]
    lines = ["| network | rows | threads | engine | of peak | " + " | ".join(others) + " |", "|---" * (5 + len(others)) + "|"]
    for network, batch in cases(rows):
        for threads in sorted({row["threads"] for row in rows}):
            here = {row["peer"]: row for row in rows if (row["network"], row["batch"], row["threads"]) == (network, batch, threads)}
            if "engine" in here:
                times = [multiple(here[peer]["times_the_engine"]) if peer in here else "-" for peer in others]
                share = here["engine"]["share_of_fma_peak"]
                lines.append(f"| {network} | {batch} | {threads} | {short(here['engine']['median_us'])} us | "
                             + " | ".join([f"{share:.0%}" if share else "-", *times]) + " |")
    return "\n".join(lines).replace("ms us", "ms")


def section(run: dict[str, Any], goals: list[dict[str, Any]]) -> str:
    """Of README.md."""
    lines = ["## Speed", "", "![Microseconds of a training step](python/docs/speed.png)", "",
             "One training step: forward, mean squared error, backward, Adam; float32, do() on a third of the inputs for half of the rows. All have the",
             "same weights and data and agree in the loss; they run in turns, and figures are medians. The engine's own loop (`fit`), the share",
             "of the processor's multiply-adds that it reaches, and how many times as long the others take:", "", table(run["rows"]), "",
             caption(run)]
    if goals:
        verdicts = [goal["verdict"] for goal in goals]
        lines += ["", f"`make bench` also judges what was wanted: {verdicts.count('reached')} goals reached, {verdicts.count('missed')} missed:", "",
                  "| missed | goal | reached |", "|---|---|---|"]
        lines += [f"| {goal['what']} | {goal['side']} {goal['wanted']:g} | {goal['reached']:.3g} |" for goal in goals if goal["verdict"] == "missed"]
    lines += ["", "`make bench-growth` shows time and memory against width, depth, batch, rows and threads, `make bench-kernels` each kernel."]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, default=REPOSITORY / "build" / "bench" / "run.json")
    parser.add_argument("--picture", type=Path, default=REPOSITORY / "python" / "docs" / "speed.png")
    options = parser.parse_args()
    if not options.run.is_file():
        parser.error(f"there is no {options.run}: make bench writes it")
    run = json.loads(options.run.read_text())
    growth = options.run.with_name("growth.json")
    for of in (options.run, *([growth] if growth.is_file() else [])):
        if json.loads(of.read_text()).get("quick"):
            parser.error(f"{of} is of a quick run, which is no measurement")
    draw(run["rows"], options.picture)
    if growth.with_suffix(".png").is_file():
        shutil.copy(growth.with_suffix(".png"), options.picture.parent)
    size = options.picture.stat().st_size
    if size >= LARGEST:
        parser.exit(1, f"{options.picture} has {size:,} bytes, expected fewer than {LARGEST:,}\n")
    judged = options.run.with_name("goals.json")
    print(section(run, json.loads(judged.read_text()) if judged.is_file() else []))
    print(f"\nwrote {options.picture}, {size:,} bytes")


if __name__ == "__main__":
    main()
