"""Everybody in turns, A B A B ..., so that whatever else the machine does meets all alike."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from .pool import Failed, Pool
from .problem import Problem

TOLERANCE = 1e-4        # between losses after the first steps, relative
LEAST_STEPS = 20        # of a turn, of which what a loop begins with shall be a small part


@dataclass
class Measured:
    """One peer on one problem; microseconds of a step, one for each turn."""

    network: str
    batch: int
    threads: int
    peer: str
    loss: float
    times: list[float] = field(default_factory=list)
    processors: list[float] = field(default_factory=list)     # that it kept busy

    @property
    def median(self) -> float:
        return statistics.median(self.times)

    @property
    def quartiles(self) -> tuple[float, float]:
        low, high = np.percentile(self.times, [25, 75])
        return float(low), float(high)

    def ratio(self, other: Measured) -> float:
        """Its time over the other's: the median over the turns, in each of which both met the same machine."""
        return statistics.median(mine / theirs for mine, theirs in zip(self.times, other.times))


class Disagreement(Exception):
    """The losses after the first steps differ: somebody does other work."""


def begin(pool: Pool, problem: Problem, threads: list[int], say: Callable[[str], None]) -> list[Measured]:
    """Who can do it, after the steps on which all have to agree."""
    started = []
    for count in threads:
        for peer in pool.peers:
            try:
                answer = pool.ask(peer, count, do="check", network=problem.name, batch=problem.batch)
                started.append(Measured(problem.name, problem.batch, count, peer, answer["loss"]))
            except Failed as error:
                say(f"{peer} is left out, {problem.name}, {problem.batch} rows, threads {count}: {error}")
    expect_agreement(problem, {f"{one.peer}, threads {one.threads}": one.loss for one in started})
    return started


def expect_agreement(problem: Problem, losses: dict[str, float]) -> None:
    first = problem.loss(problem.weights)
    low, high = min(losses.values()), max(losses.values())
    if not all(loss - low <= TOLERANCE * low for loss in losses.values()):      # also where one is NaN
        raise Disagreement(f"{problem.name}, {problem.batch} rows: losses after 5 steps differ by more than {TOLERANCE:g}: "
                           + "; ".join(f"{name}: {loss:.7g}" for name, loss in losses.items()))
    if not high < first * (1 - 10 * TOLERANCE):
        raise Disagreement(f"{problem.name}, {problem.batch} rows: nobody has learned anything, the loss was {first:.7g} and is {high:.7g}")


def take_turns(pool: Pool, problem: Problem, started: list[Measured], turns: int, seconds: float, between: Callable[[int], None]) -> None:
    """Fills in the times: about `seconds` for each peer in all, or more where steps are long. `between` is called for each number of threads in
    each turn."""
    epochs = {}

    def turn(one: Measured, count: int) -> dict[str, float]:
        return pool.ask(one.peer, one.threads, do="train", network=problem.name, batch=problem.batch, epochs=count)

    for one in started:
        turn(one, 1)
        steps = max(LEAST_STEPS, int(seconds / turns / turn(one, 1)["seconds"]))
        epochs[one.peer, one.threads] = math.ceil(steps / problem.batches)
    for _ in range(turns):
        for count in dict.fromkeys(one.threads for one in started):
            between(count)
            for one in started:
                if one.threads == count:
                    answer = turn(one, epochs[one.peer, count])
                    one.times.append(1e6 * answer["seconds"])
                    one.processors.append(answer["processors"])
