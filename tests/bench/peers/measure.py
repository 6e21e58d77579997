"""One measurement of one gateway, started for it and stopped behind it."""

import re
import socket
import ssl
import subprocess
import time
from contextlib import contextmanager

from gateways import PORT, TLS_PORT, UPSTREAM_PORT
from process import Process
from proof import await_answers, prove

GATEWAY_CPU, LOAD_CPU = "0", "1"
CONNECTIONS = 64
RATE = 4000
TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
TLS.check_hostname, TLS.verify_mode = False, ssl.CERT_NONE


class Bench:
    """Where things are, and the upstream that answers everybody."""

    def __init__(self, home, seconds):
        self.home, self.seconds, self.log = home, seconds, home / "peers/run/log"
        self.upstream = Process([home / "tools/release/upstream", f"127.0.0.1:{UPSTREAM_PORT}"], LOAD_CPU, self.log, UPSTREAM_PORT)

    @contextmanager
    def serving(self, gateway, key, threads=1, h2=False, under=(), words=(), proven=True):
        """The gateway, proven. With `h2`, the same checks were proven over HTTP/1.1 first."""
        if h2:
            with self.serving(gateway, key):
                pass
        command = [*under, *gateway.configure(threads, h2), *words]
        cpus = GATEWAY_CPU if threads == 1 else f"{GATEWAY_CPU},{LOAD_CPU}"
        with Process(command, cpus, self.log, PORT, gateway.environment) as process:
            time.sleep(gateway.settle_s)
            if not h2:
                await_answers()
            if proven and not h2:
                prove(gateway, key)
            yield process

    def load(self, tokens, *how, first=0, connections=CONNECTIONS):
        """Requests done, seconds, p50 and p99 in microseconds. Every answer must be a 200."""
        command = ["taskset", "-c", LOAD_CPU, self.home / "tools/release/load", f"127.0.0.1:{PORT}", tokens or "-", first, connections, *how]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"the load failed: {done.stderr.strip()[-300:]}")
        count, bad, micros, p50, p99 = map(int, done.stdout.split())
        if bad or not count:
            raise RuntimeError(f"{bad} of {count} answers were not 200")
        return count, micros / 1e6, p50, p99

    def cpu(self, gateway, key, tokens, threads=1, new=0):
        """Closed loop: CPU microseconds a request and requests a second. With `new` no token comes twice, and so many came before."""
        with self.serving(gateway, key, threads) as process:
            first = 0
            if new:
                first, *_ = self.load(tokens, "count", new)
            else:
                self.load(tokens, "closed", 0.7)
            before, reached = process.cpu_s(), self.upstream.cpu_s()
            count, seconds, *_ = self.load(tokens, "closed", self.seconds, first=first)
            spent, reached = process.cpu_s() - before, self.upstream.cpu_s() - reached
            if reached / count < 0.3e-6:
                raise RuntimeError("the upstream was not asked")
            return {"cpu_us": spent / count * 1e6, "rps": count / seconds}

    def h2(self, gateway, key, tokens):
        """HTTP/2 from the client, 16 connections of 8 streams, one token: CPU microseconds a request."""
        with self.serving(gateway, key, h2=True) as process:
            header = ["-H", f"authorization: Bearer {open(tokens).readline().strip()}"] if tokens else []

            def load(seconds):
                command = ["taskset", "-c", LOAD_CPU, "h2load", "-t1", "-c16", "-m8", f"--duration={seconds}", *header, f"http://127.0.0.1:{PORT}/"]
                told = subprocess.run(command, capture_output=True, text=True).stdout
                good, *bad = map(int, re.search(r"status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx", told).groups())
                if any(bad) or not good:
                    raise RuntimeError(f"h2load: {good} good answers, {bad} others")
                return good

            load(1)
            before = process.cpu_s()
            count = load(max(1, round(self.seconds)))
            return {"h2_cpu_us": (process.cpu_s() - before) / count * 1e6}

    def latency(self, gateway, key, tokens):
        """Open loop at a fixed rate: the median in microseconds."""
        with self.serving(gateway, key):
            self.load(tokens, "closed", 0.7)
            _, _, p50, p99 = self.load(tokens, "paced", self.seconds, RATE)
            return {"p50_us": p50, "p99_us": p99}

    def memory(self, gateway, key, few=100, many=5100):
        """Kibibytes for each further idle connection that has been served once, in clear text and over TLS."""
        token = f"Authorization: Bearer {key.token()}\r\n" if key else ""
        request = f"GET / HTTP/1.1\r\nHost: bench.example.test\r\n{token}\r\n".encode()
        opened = {"idle_kib": _connect, **({"idle_tls_kib": _connect_tls} if gateway.tls else {})}
        figures = {}
        for figure, connect in opened.items():
            with self.serving(gateway, key) as process:
                idle, sizes = [], []
                for count in (few, many):
                    while len(idle) < count:
                        idle.append(_served(connect(), request))
                    time.sleep(1)
                    sizes.append(process.memory_kib())
                for connection in idle:
                    _close_open(connection)
                figures[figure] = (sizes[1] - sizes[0]) / (many - few)
        return figures

    def instructions(self, gateway, key, tokens, few=1024, many=3072):
        """User-space instructions a request, by callgrind: two runs, the difference between them."""
        counts = []
        for requests in (few, many):
            for file in self.log.parent.glob("callgrind.*"):
                file.unlink()
            under = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={self.log.parent}/callgrind.%p"]
            # callgrind does not follow nginx to its worker.
            one = ["-g", "master_process off;"] if gateway.name == "nginx" else []
            with self.serving(gateway, key, under=under, words=one, proven=False):
                self.load(tokens, "count", requests, connections=16)
            told = (file.read_text(errors="replace") for file in self.log.parent.glob("callgrind.*"))
            counts.append(sum(int(re.search(r"^(?:summary|totals): (\d+)", text, re.M)[1]) for text in told))
        return {"instructions": (counts[1] - counts[0]) / (many - few)}


def _connect():
    return socket.create_connection(("127.0.0.1", PORT), 20)


def _connect_tls():
    return TLS.wrap_socket(socket.create_connection(("127.0.0.1", TLS_PORT), 20))


def _close_open(connection):
    """A connection that the gateway gave up would be counted as one that costs nothing."""
    connection.setblocking(False)
    try:
        connection.recv(1)
    except (BlockingIOError, ssl.SSLWantReadError):
        return connection.close()
    raise RuntimeError("an idle connection was closed while it was weighed")


def _served(connection, request):
    connection.sendall(request)
    answer = b""
    while len(answer.partition(b"\r\n\r\n")[2]) < 1024:
        piece = connection.recv(8192)
        if not piece:
            raise RuntimeError(f"closed after {answer[:60]!r}")
        answer += piece
    if b" 200 " not in answer[:16]:
        raise RuntimeError(f"an idle connection got {answer[:60]!r}")
    return connection

