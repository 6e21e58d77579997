"""How soon tollgate answers with many routes, and what a reload of them does to requests under way."""

import http.client
import signal
import sys
import threading
import time

from gateways import PORT
from measure import RATE
from mint import tokens_file
from process import Process
from proof import ask
from scale import MANY_ROUTES, WARM_TOKENS, adding, routes

LOAD_S = 4


def start_rows(bench, tollgate, keys, rounds):
    """In every round a start, and the slowest hundredth of paced requests without and with a reload in their midst."""
    many, key = adding(tollgate, routes()), keys["EdDSA"]
    tokens = tokens_file(bench.home / "peers/tokens", key, WARM_TOKENS)
    measured = []
    for number in range(rounds):
        try:
            figures = {"start_ms": first_answer_ms(bench, many), **over_a_reload(bench, many, key, tokens)}
        except RuntimeError as error:
            print(f"!!! DROPPED start: {error}", file=sys.stderr, flush=True)
            continue
        measured.append({"part": "start", "name": f"{MANY_ROUTES:,} routes", "checks": key.algorithm, "round": number, **figures})
        shown = ", ".join(f"{figure} {value:.1f}" for figure, value in figures.items())
        print(f"round {number + 1}  {'start':24} {shown}", flush=True)
    return measured


def first_answer_ms(bench, gateway):
    """From the start of the process until it has answered a request."""
    command = gateway.configure(2, False)
    begun = time.perf_counter()
    with Process(command, "0,1", bench.log):
        while True:
            try:
                ask(None)
                return (time.perf_counter() - begun) * 1000
            except (OSError, http.client.HTTPException):
                if time.perf_counter() - begun > 60:
                    raise
                time.sleep(0.001)


def over_a_reload(bench, gateway, key, tokens):
    """The p99 in microseconds without and with a reload, which must have come to its end."""
    with bench.serving(gateway, key, threads=2) as process:
        bench.load(tokens, "closed", 0.7)
        *_, quiet = bench.load(tokens, "paced", LOAD_S, RATE)
        before = generation()
        reload = threading.Timer(LOAD_S / 2, lambda: process.child.send_signal(signal.SIGHUP))
        reload.start()
        *_, reloaded = bench.load(tokens, "paced", LOAD_S, RATE)
        if generation() == before:
            raise RuntimeError("the reload did not happen")
        return {"p99_us": quiet, "p99_reload_us": reloaded}


def generation():
    """How many gates there were, as /metrics tells it."""
    connection = http.client.HTTPConnection("127.0.0.1", PORT + 1, timeout=10)
    connection.request("GET", "/metrics")
    lines = connection.getresponse().read().decode().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith("tollgate_config_generation "))
