"""Microseconds of one training step (forward, mean squared error, backward, Adam; float32; do() on a third of the inputs for half of the
rows): this engine beside PyTorch, JAX and numpy, all with the same weights and the same data, on one and on two threads.

    python bench_speed.py [--quick] [--seconds 2] [--turns 9] [--network "3-[16,16]-1" --batch 32] [--peers engine,torch-fused]

The peers work in processes of their own and in short turns that follow each other. Figures are medians of the turns, "from to" their
quartiles; "times the engine" is the median of the ratios within a turn. After 5 steps all must have the same loss to 1e-4, or the run
fails. GFLOP/s count what a step has to compute, GB/s the bytes that it would have to move were there no caches; the peaks are the best
that the machine showed in between. Who is not installed is named and left out: `make bench-peers` installs all.

It writes speed.json (network, batch, threads, peer, median_us, loss_after_5_steps), and run.json, which adds machine, versions, peaks,
quartiles and ratios.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from pathlib import Path

from peers import ON_REQUEST, PEERS
from peers.machine import MOST_THREADS, REPOSITORY, Peak, description
from peers.pool import Failed, Pool
from peers.problem import CHECKED, Problem
from peers.turns import Disagreement, Measured, begin, take_turns

NETWORKS = [("3-[16,16]-1", 32), ("3-[16,16]-1", 800), ("16-[64,64]-1", 256), ("64-[256,256,256]-8", 256), ("512-[1024,1024]-64", 1024)]
QUICK = NETWORKS[:3]


def show(problem: Problem, measured: list[Measured], peak: Peak) -> list[dict[str, object]]:
    """Prints the table of one problem, and returns its rows as run.json has them."""
    rows: list[dict[str, object]] = []
    for threads in dict.fromkeys(one.threads for one in measured):
        of_threads = [one for one in measured if one.threads == threads]
        engine = next((one for one in of_threads if one.peer == "engine"), None)
        print(f"\n{problem.name}, {problem.batch} rows, {threads} thread{'s' * (threads > 1)}")
        print(f"{'':18}{'times the engine':>18}{'us a step':>12}{'from':>10}{'to':>10}{'GFLOP/s':>10}{'of peak':>9}{'GB/s':>8}{'of peak':>9}")
        for one in sorted(of_threads, key=lambda one: one.median):
            ratio = one.ratio(engine) if engine else None
            gflops, gigabytes = (amount / one.median / 1e3 for amount in (problem.operations, problem.traffic))
            of_arithmetic, of_memory = (reached / best[threads] if threads in best else None
                                        for reached, best in ((gflops, peak.gflops), (gigabytes, peak.gigabytes)))
            shares = [f"{share:9.0%}" if share else f"{'-':>9}" for share in (of_arithmetic, of_memory)]
            low, high = one.quartiles
            print(f"{one.peer:18}" + (f"{ratio:18.2f}" if ratio else f"{'-':>18}") + f"{one.median:12.1f}{low:10.1f}{high:10.1f}"
                  f"{gflops:10.1f}{shares[0]}{gigabytes:8.1f}{shares[1]}", flush=True)
            if (busy := statistics.median(one.processors)) > threads + 0.15:
                print(f"{'':18}it kept {busy:.1f} processors busy, not {threads}")
            rows.append({
                "network": one.network, "batch": one.batch, "threads": threads, "peer": one.peer, "times_the_engine": ratio,
                "median_us": one.median, "quartiles_us": [low, high], "loss_after_5_steps": one.loss, "gflops": gflops,
                "share_of_fma_peak": of_arithmetic, "gigabytes": gigabytes, "share_of_bandwidth": of_memory})
    return rows


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small networks and short turns, to see that it works")
    parser.add_argument("--seconds", type=float, help="for each peer, network and number of threads, in all turns; more where steps are long (2; quick: 0.2)")
    parser.add_argument("--turns", type=int, help="(9; quick: 3)")
    parser.add_argument("--threads", default="1,2", help="numbers of threads (1,2)")
    parser.add_argument("--network", help='one network alone, as "3-[16,16]-1"; with --batch')
    parser.add_argument("--batch", type=int, help="rows a step of --network")
    always = ",".join(peer for peer in PEERS if peer not in ON_REQUEST)
    parser.add_argument("--peers", default=always, help=f"({always}); besides {', '.join(ON_REQUEST)}")
    parser.add_argument("--output", type=Path, default=REPOSITORY / "build" / "bench", help="a folder (build/bench)")
    options = parser.parse_args()
    if options.seconds is None:
        options.seconds = 0.2 if options.quick else 2.0
    if options.turns is None:
        options.turns = 3 if options.quick else 9
    options.peers = list(dict.fromkeys(options.peers.split(",")))
    if unknown := set(options.peers) - set(PEERS):
        parser.error(f"no such peers: {', '.join(sorted(unknown))}; there are {', '.join(PEERS)}")
    if (options.network is None) != (options.batch is None):
        parser.error("--network and --batch belong together")
    try:
        options.threads = list(dict.fromkeys(int(each) for each in options.threads.split(",")))
        networks = [(options.network, options.batch)] if options.network else QUICK if options.quick else NETWORKS
        options.problems = [Problem.named(*each) for each in networks]
    except ValueError as error:
        parser.error(str(error))
    if min(*options.threads, options.turns) < 1 or max(options.threads) > MOST_THREADS or not options.seconds > 0:
        parser.error(f"--threads are 1 to {MOST_THREADS}, --turns and --seconds more than 0")
    return options


def main() -> None:
    options = arguments()
    machine, peak = description(), Peak()
    rows: list[dict[str, object]] = []
    with Pool(options.peers, options.threads) as pool:
        print(f"one training step under do(), float32; {machine['processor']}, {machine['cores']} cores, {machine['date']}")
        print(", ".join(pool.versions))
        for peer, why in pool.missing.items():
            print(f"{peer} is left out: {why} (make bench-peers installs it)")
        print("GB/s are what a step would move through memory were there no caches: small networks stay in them, and have more than the peak")
        if not pool.peers:
            sys.exit("nobody is there to be measured")
        for problem in options.problems:
            try:
                measured = begin(pool, problem, options.threads, print)
                take_turns(pool, problem, measured, options.turns, options.seconds, lambda threads: peak.measure(threads, 0.05))
            except Disagreement as error:
                sys.exit(f"FAILED: {error}")
            except Failed as error:
                sys.exit(f"FAILED: {problem.name}, {problem.batch} rows: {error}")
            rows += show(problem, measured, peak)
        versions, missing = pool.versions, pool.missing
    print()
    for threads, gflops in peak.gflops.items():
        print(f"peak, {threads} thread{'s' * (threads > 1)}: {gflops:.0f} GFLOP/s of multiply-adds, "
              f"{peak.gigabytes[threads]:.1f} GB/s through memory")
    print(f"losses after {CHECKED} steps agree")

    options.output.mkdir(parents=True, exist_ok=True)
    asked = ("network", "batch", "threads", "peer", "median_us", "loss_after_5_steps")
    (options.output / "speed.json").write_text(json.dumps([{key: row[key] for key in asked} for row in rows], indent=1) + "\n")
    run = {"machine": machine, "versions": versions, "missing": missing, "quick": options.quick, "seconds": options.seconds, "turns": options.turns,
           "peak_gflops": peak.gflops, "peak_gigabytes": peak.gigabytes, "rows": rows}
    (options.output / "run.json").write_text(json.dumps(run, indent=1) + "\n")
    print(f"wrote {options.output / 'speed.json'}")


if __name__ == "__main__":
    main()
