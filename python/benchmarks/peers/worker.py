"""A process in which one family of peers works, on the number of threads that its environment allows. It is told what to do line by line,
in JSON, and answers so; `peers.pool` talks to it."""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from typing import Any

from .problem import CHECKED, Problem


class Worker:
    def __init__(self, family: str) -> None:
        self.family = importlib.import_module(f".{family}", __package__)
        self.ready: dict[tuple[str, str], Any] = {}     # by problem and peer

    def prepare(self, peer: str, network: str, batch: int) -> Any:
        problem = Problem.named(network, batch)
        name = f"{network}, {batch}"
        self.ready = {key: one for key, one in self.ready.items() if key[0] == name}
        if (name, peer) not in self.ready:
            self.ready[name, peer] = self.family.PEERS[peer](problem)
        return self.ready[name, peer]

    def check(self, peer: str, network: str, batch: int) -> dict[str, float]:
        mine = self.prepare(peer, network, batch)
        return {"loss": mine.problem.loss(mine.learn(1, CHECKED))}

    def train(self, peer: str, network: str, batch: int, epochs: int) -> dict[str, float]:
        mine = self.prepare(peer, network, batch)
        cpu, wall = time.process_time(), time.perf_counter()
        seconds = mine.train(epochs)
        return {"seconds": seconds, "processors": (time.process_time() - cpu) / (time.perf_counter() - wall)}

    def one_row(self, peer: str, network: str, batch: int, calls: int) -> dict[str, float]:
        mine = self.prepare(peer, network, batch)
        if not hasattr(mine, "predict_one"):
            mine.predict_one = mine.one_row()
        predict = mine.predict_one
        for _ in range(3):
            predict()
        start = time.perf_counter()
        for _ in range(calls):
            predict()
        return {"seconds": (time.perf_counter() - start) / calls}


def come_to_rest() -> None:
    """Waits until no thread of this process works, a second at most. OpenBLAS's look for more for a tenth of a second, and would share a
    processor with the next peer meanwhile."""
    before = time.process_time()
    for _ in range(100):
        time.sleep(0.01)
        now = time.process_time()
        if now - before < 0.001:
            return
        before = now


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)       # what libraries print is no answer
    try:
        worker = Worker(sys.argv[1])
        answer: dict[str, Any] = {"version": worker.family.VERSION}
    except Exception as error:      # not there, or of versions that do not go together
        print(json.dumps({"missing": f"{type(error).__name__}: {error}".splitlines()[0]}), file=answers, flush=True)
        return
    print(json.dumps(answer), file=answers, flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        try:
            answer = getattr(worker, order.pop("do"))(**order)
        except Exception as error:      # a peer that cannot do it here is named, and the others go on
            answer = {"failed": f"{type(error).__name__}: {error}".splitlines()[0]}
        come_to_rest()
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
