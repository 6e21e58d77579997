"""Processes that were started here: where they run, what they cost, how they end."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path


class Process:
    """A command in a session of its own, on the processors `cpus`."""

    def __init__(self, command, cpus, log, port=None, environment=None):
        self.command = command
        with open(log, "ab") as out:
            self.child = subprocess.Popen(
                ["taskset", "-c", cpus, *map(str, command)],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
                env={**os.environ, **(environment or {})},
            )
        if port:
            self._await(port, log)

    def _await(self, port, log, limit_s=60):
        end = time.time() + limit_s
        while time.time() < end:
            if self.child.poll() is not None:
                raise RuntimeError(f"{self.command[0]} ended at once, see {log}")
            try:
                socket.create_connection(("127.0.0.1", port), 0.5).close()
                return
            except OSError:
                time.sleep(0.05)
        self.stop()
        raise RuntimeError(f"{self.command[0]} opens no port {port}, see {log}")

    def pids(self):
        """Every process of the session: a gateway may have workers."""
        found = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if fields[0] != "Z" and int(fields[3]) == self.child.pid:
                found.append(int(stat.parent.name))
        return found

    def cpu_s(self):
        """Time on a processor so far, user and system, all threads, in seconds (/proc/*/schedstat is in ns)."""
        total = 0
        for pid in self.pids():
            for stat in Path(f"/proc/{pid}/task").glob("*/schedstat"):
                total += int(stat.read_text().split()[0])
        return total / 1e9

    def memory_kib(self):
        """Resident memory, of several processes the sum of what each has alone (PSS)."""
        total = 0
        for pid in self.pids():
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
        return total

    def stop(self, grace_s=3):
        for number in (signal.SIGTERM, signal.SIGKILL):
            for pid in self.pids():
                try:
                    os.kill(pid, number)
                except ProcessLookupError:
                    pass
            end = time.time() + grace_s
            while time.time() < end and (self.child.poll() is None or self.pids()):
                time.sleep(0.02)
        self.child.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
