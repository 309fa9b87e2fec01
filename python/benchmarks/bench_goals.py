"""The goals for speed, beside what is reached: reached or missed.

    python bench_goals.py [--quick] [--output build/bench]

The training step is judged by run.json, which bench_speed.py wrote; the rest is measured here, in turns with those peers that are
installed: one row from Python and from C, a whole process with a small experiment, the cost of do() in instructions (valgrind), a thousand
small models, imports. Goals are ratios to the peers of the same run, because times vary from machine to machine; those in microseconds stand
beside them. What cannot be measured here is named with the reason. It writes goals.json.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from goals.judge import Goal, show
from goals.do_cost import do_cost
from goals.experiment import experiment
from goals.many_models import many_models
from goals.one_row import one_row
from goals.step import steps
from bench_import import least_milliseconds
from peers.machine import REPOSITORY


def imports(quick: bool) -> list[Goal]:
    _, engine, load = least_milliseconds(2 if quick else 12)
    return [Goal("import causal_engine beyond numpy, ms", "<=", 50, engine), Goal("load the library, ms", "<=", 5, load)]


PARTS = {"step": steps, "row": one_row, "experiment": experiment, "do": do_cost, "models": many_models, "import": imports}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="short measurements, to see that it works")
    parser.add_argument("--parts", default=",".join(PARTS), help=f"({','.join(PARTS)})")
    parser.add_argument("--output", type=Path, default=REPOSITORY / "build" / "bench", help="a folder (build/bench)")
    options = parser.parse_args()
    if unknown := set(options.parts.split(",")) - set(PARTS):
        parser.error(f"no such parts: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    goals: list[Goal] = []
    for part in options.parts.split(","):
        of_part = steps(options.output / "run.json") if part == "step" else PARTS[part](options.quick)
        show(of_part)
        goals += of_part
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "goals.json").write_text(json.dumps([asdict(goal) | {"verdict": goal.verdict} for goal in goals], indent=1) + "\n")
    verdicts = [goal.verdict for goal in goals]
    print(f"\n{verdicts.count('reached')} reached, {verdicts.count('missed')} missed, {verdicts.count('not measured')} not measured; "
          f"wrote {options.output / 'goals.json'}")


if __name__ == "__main__":
    main()
