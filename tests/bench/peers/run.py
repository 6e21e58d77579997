"""Measures tollgate beside its peers, in interleaved rounds, and writes table and plot. `peers.sh` prepares and calls it.

  --rounds N      rounds; the table shows medians (5)
  --seconds S     how long one measurement loads a gateway (2)
  --only A,B      of cpu, h2, latency, memory, instructions, scale, start; the others keep what was measured before
  --readme        renews the README's table too
"""

import argparse
import json
import os
import platform
import random
import resource
import sys
import time
from pathlib import Path

import plot
import table
from gateways import gateways
from measure import Bench
from mint import Key, tokens_file
from proof import Unproven
from scale import scale_rows
from start import start_rows

HERE = Path(__file__).resolve().parent
RESULTS = HERE.parent / "results"
ROOT = HERE.parents[2]
ALL = ["tollgate", "bare pingora", "nginx", "HAProxy", "Envoy", "pingap"]
CHECKING = ["HAProxy HS256", "HAProxy RS256", "HAProxy ES256", "nginx + njs", "pingap HS256", "Envoy RS256", "Envoy RS256 with cache"]
# Which rows have which measurement, and whether it is repeated in every round.
PARTS = {
    "cpu": (ALL + CHECKING, True),
    "h2": (["tollgate", "bare pingora", "nginx", "HAProxy RS256", "Envoy RS256 with cache"], True),
    "latency": (["tollgate", "bare pingora", "nginx", "HAProxy RS256", "Envoy RS256 with cache"], True),
    "memory": (["tollgate", "bare pingora", "nginx", "HAProxy RS256", "Envoy RS256 with cache"], False),
    "instructions": (["tollgate", "bare pingora", "nginx", "HAProxy"], False),
}
WARM_TOKENS = 1000
COLD_TOKENS = 200_000


def main():
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--rounds", type=int, default=5)
    words.add_argument("--seconds", type=float, default=2)
    words.add_argument("--only", type=lambda text: text.split(","), default=[*PARTS, "scale", "start"])
    words.add_argument("--readme", action="store_true")
    words = words.parse_args()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 65536), most))

    home = Path(os.environ["BENCH_HOME"])
    for folder in ("keys", "tokens", "run"):
        (home / "peers" / folder).mkdir(parents=True, exist_ok=True)
    keys = {algorithm: Key(home / "peers/keys", algorithm) for algorithm in ("RS256", "ES256", "EdDSA", "HS256")}
    binary = Path(os.environ.get("TOLLGATE", ROOT / "target/release/tollgate"))
    rows = gateways(home, keys, binary)
    bench = Bench(home, words.seconds)
    try:
        measured = measure(bench, rows, keys, words)
        if "scale" in words.only:
            measured += scale_rows(bench, rows["tollgate"], keys, words.rounds, COLD_TOKENS)
        if "start" in words.only:
            measured += start_rows(bench, rows["tollgate"], keys, words.rounds)
    finally:
        bench.upstream.stop()
    keep(measured, words)
    table.write(RESULTS, ROOT / "README.md" if words.readme else None)
    plot.write(RESULTS)


def measure(bench, rows, keys, words):
    """Every measurement of every row; a row that fails is left out, and named."""
    measured, dropped = [], set()
    for number in range(words.rounds):
        for part, name in work_of(number, words):
            if (part, name) in dropped:
                continue
            algorithm = "RS256" if name == "tollgate" else rows[name].checks
            key = keys.get(algorithm)
            tokens = key and tokens_file(bench.home / "peers/tokens", key, WARM_TOKENS)
            try:
                figures = getattr(bench, part)(rows[name], key, *([] if part == "memory" else [tokens]))
            except (Unproven, RuntimeError) as error:
                dropped.add((part, name))
                measured = [row for row in measured if (row["part"], row["name"]) != (part, name)]
                print(f"!!! DROPPED {name}, {part}: {error}", file=sys.stderr, flush=True)
                continue
            measured.append({"part": part, "name": name, "checks": algorithm, "round": number, **figures})
            shown = ", ".join(f"{figure} {value:.1f}" for figure, value in figures.items())
            print(f"round {number + 1}  {name:24} {shown}", flush=True)
    return measured


def work_of(number, words):
    """What a round measures. A column's gateways follow each other: a machine that is slow for a minute is slow for them all."""
    parts = [part for part, (_, each) in PARTS.items() if part in words.only and (each or number == 0)]
    random.shuffle(parts)
    return [(part, name) for part in parts for name in random.sample(PARTS[part][0], len(PARTS[part][0]))]


def keep(measured, words):
    """Lays what was measured over what results.json has of other parts."""
    file = RESULTS / "results.json"
    RESULTS.mkdir(exist_ok=True)
    before = json.loads(file.read_text()) if file.exists() else {"rows": []}
    today = time.strftime("%Y-%m-%d")
    rows = [row for row in before["rows"] if row["part"] not in words.only] + [{**row, "date": today} for row in measured]
    file.write_text(json.dumps({"machine": machine(), "rows": rows}, indent=1) + "\n")


def machine():
    cpu = next(line.partition(":")[2].strip() for line in open("/proc/cpuinfo") if line.startswith("model name"))
    return {
        "cpu": cpu, "cpus": os.cpu_count(), "system": platform.freedesktop_os_release()["PRETTY_NAME"],
        "load": round(os.getloadavg()[2], 1),
    }


main()
