"""A goal and what came of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Goal:
    """`reached` has to be at least (">=") or at most ("<=") `wanted`; None where it could not be measured, and then `remark` says why."""

    what: str
    side: str
    wanted: float
    reached: float | None
    remark: str = ""

    @property
    def verdict(self) -> str:
        if self.reached is None:
            return "not measured"
        met = self.reached >= self.wanted if self.side == ">=" else self.reached <= self.wanted
        return "reached" if met else "missed"


def show(goals: list[Goal]) -> None:
    print(f"\n{'':84}{'goal':>10}{'reached':>10}")
    for goal in goals:
        reached = "-" if goal.reached is None else f"{goal.reached:.3g}"
        print(f"{goal.what:84}{goal.side + f' {goal.wanted:g}':>10}{reached:>10}  {goal.verdict}{goal.remark and ': ' + goal.remark}", flush=True)
