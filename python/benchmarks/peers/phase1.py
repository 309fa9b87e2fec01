"""The size of the experiment in `make demo`, one network, as a process of its own: 800 rows, half of them under do(), 100 epochs of 25 steps.

    python -m peers.phase1 PEER
"""

from __future__ import annotations

import importlib
import sys

from . import PEERS
from .problem import Problem

EPOCHS = 100


def main() -> None:
    peer = sys.argv[1]
    problem = Problem.named("3-[16,16]-1", 32, 25)
    learner = importlib.import_module(f".{PEERS[peer]}", __package__).PEERS[peer](problem)
    print(problem.loss(learner.learn(EPOCHS, problem.batches)))


if __name__ == "__main__":
    main()
