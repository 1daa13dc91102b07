"""Clocks, sizes and memory."""

import math
import os
import pathlib
import statistics
import threading
import time

RUNS_MIN, RUNS_MAX, SECONDS_MAX = 20, 200, 1.0


def once(ask):
    """What `ask` answers, and its milliseconds."""
    began = time.perf_counter()
    answer = ask()
    return answer, (time.perf_counter() - began) * 1000


def repeated(ask):
    """The last answer, and the milliseconds of 20 to 200 runs after two that do not count."""
    times = []
    ask(), ask()
    while len(times) < RUNS_MIN or (len(times) < RUNS_MAX and sum(times) < SECONDS_MAX * 1000):
        answer, spent = once(ask)
        times.append(spent)
    return answer, times


def median(times):
    return statistics.median(times)


def p99(times):
    """By nearest rank: below 100 runs, the slowest."""
    return sorted(times)[math.ceil(len(times) * 0.99) - 1]


def summary(times):
    return {"median": median(times), "p99": p99(times), "fastest": min(times), "runs": len(times)}


def files(path):
    path = pathlib.Path(path)
    return [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path]


def bytes_of(path):
    return sum(file.stat().st_size for file in files(path))


def forget_pages(path):
    """Drops the files' pages from the system's cache, as far as they are on disk; needs no privilege."""
    for file in files(path):
        with open(file, "rb") as opened:
            os.fsync(opened.fileno())
            os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def resident_mb(pid):
    """Resident memory now, and the most so far."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    kib = {line.split(":")[0]: int(line.split()[1]) for line in status.splitlines() if line.startswith(("VmRSS", "VmHWM"))}
    return kib["VmRSS"] / 1024, kib["VmHWM"] / 1024


class Peak:
    """The most resident memory of a process until it ends, looked up 50 times a second.

    What `wait4` tells would count the interpreter that the process was forked from.
    """

    def __init__(self, pid):
        self.pid, self.found = pid, 0.0
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()

    def mb(self):
        self.thread.join()
        return self.found

    def _watch(self):
        while True:
            try:
                self.found = resident_mb(self.pid)[1]
            except (KeyError, OSError):  # it has ended
                return
            time.sleep(0.02)
