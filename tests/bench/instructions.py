#!/usr/bin/env python3
"""Counts the core's instructions and fails when a figure grew by more than 3 %.

  tests/bench/instructions.py            compares with tests/bench/instructions.toml
  tests/bench/instructions.py --renew    writes that file anew: after a change that is worth its price, or a new rustc

The figures hold for one compiler, which the file names; with another one they are shown and not judged. They need
valgrind and, in target/tools, the gungraun-runner that tests/run.sh installs, and an x86-64 processor with AVX2.
"""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BASELINE = Path(__file__).with_suffix(".toml")
GROWTH_MAX = 0.03


def main():
    compiler = run(["rustc", "--version"]).split(" (")[0]
    counted = count_steps()
    if sys.argv[1:] == ["--renew"]:
        return renew(compiler, counted)
    baseline = tomllib.loads(BASELINE.read_text())
    known = baseline["instructions"]
    grown = [name for name, count in counted.items() if count > known.get(name, 0) * (1 + GROWTH_MAX)]
    shrunk = [name for name, count in counted.items() if count < known.get(name, 0) * (1 - GROWTH_MAX)]
    for name, count in counted.items():
        before = known.get(name)
        change = f"{count / before - 1:+7.2%}" if before else "    new"
        print(f"{name:40} {count:>12,} {change}{'  GROWN' if name in grown else ''}")
    missing = known.keys() - counted.keys()
    if missing:
        sys.exit(f"no longer counted: {', '.join(sorted(missing))}; renew with {BASELINE.stem}.py --renew")
    if compiler != baseline["compiler"]:
        return print(f"{compiler} is not the baseline's {baseline['compiler']}: nothing is judged")
    if grown:
        sys.exit(f"grown by more than {GROWTH_MAX:.0%}: {', '.join(grown)}")
    if shrunk:
        print(f"fewer than before, renew the baseline: {', '.join(shrunk)}")


def count_steps():
    """Instructions by step, each for its hundred times."""
    bench = ["cargo", "bench", "--quiet", "--locked", "--no-default-features", "--bench", "instructions"]
    told = run([*bench, "--", "--output-format=json", "--callgrind-args=--cache-sim=no"], PATH=f"{ROOT}/target/tools/bin:{os.environ['PATH']}")
    counts = {}
    for line in filter(None, told.splitlines()):
        step = json.loads(line)
        name = ".".join(filter(None, (step["function_name"], step.get("id"))))
        callgrind = step["profiles"][0]["data"]["total"]["metrics"]
        counts[name] = callgrind["Ir"]["values"]["new"]
    return counts


def run(command, **environment):
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env={**os.environ, **environment})
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))} failed")
    return done.stdout


def renew(compiler, counted):
    head = "# Instructions of the core's steps, each taken a hundred times. Written by instructions.py --renew."
    rows = "\n".join(f'"{name}" = {count}' for name, count in counted.items())
    BASELINE.write_text(f'{head}\ncompiler = "{compiler}"\n\n[instructions]\n{rows}\n')


main()
