"""Throng answers while events come in.

    python benches/compare live [--events 2000000] [--rate 50000] [--seconds 30] [--clients 16]

Serves a loaded store and asks about the middle channel from many clients at once, each at once again when it is answered:
first alone, then while one process sends events of this moment to `POST /v1/events`, then alone again. The questions are those of
the comparison, about sealed days. Sender, clients and server share the cores; what the first two take of them is printed. The
bodies are made beforehand and sent from the page cache.
"""

import json
import multiprocessing
import pathlib
import tempfile
import threading
import time

import client
import crowd
import measure
import report as reporting
import throng
import world
from questions import QUESTIONS

FEEDERS = 4  # bodies under way at a time, so that waiting for the disk does not bound the rate


def write_bodies(file, n, total, each):
    """Events after the first `n` as NDJSON, with timestamps from now on; where each body begins, and the end."""
    begins, now, first = [0], int(time.time() * 1000), n
    with open(file, "wb") as out:
        while first < n + total:
            count = min(each, n + total - first)
            for row in world.events(first, count, n).to_pylist():
                out.write(json.dumps({key: value for key, value in (row | {"ts": now}).items() if value is not None}).encode() + b"\n")
            begins.append(out.tell())
            first += count
    return begins


class Feeder:
    """Sends each body when it is due, or as soon after as one of the connections is free."""

    def __init__(self, address, headers, file, begins, interval):
        self.address, self.headers, self.begins, self.interval = address, headers, begins, interval
        self.file, self.bodies, self.lock = file, iter(range(len(begins) - 1)), threading.Lock()
        self.told = {"accepted": 0, "refused": 0, "errors": 0, "times": []}

    def feed(self):
        self.began, worked = time.perf_counter(), time.process_time()
        threads = [threading.Thread(target=self._work) for _ in range(FEEDERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        # The last body's turn is a part of the time, even if nothing was left to send.
        seconds = max(time.perf_counter() - self.began, (len(self.begins) - 1) * self.interval)
        return self.told | {"seconds": seconds, "cpu_seconds": time.process_time() - worked}

    def _work(self):
        connection = client.Connection(self.address)
        with open(self.file, "rb") as file:
            while (body := self._next()) is not None:
                time.sleep(max(0, self.began + body * self.interval - time.perf_counter()))
                self._send(connection, file, body)
        connection.close()

    def _next(self):
        with self.lock:
            return next(self.bodies, None)

    def _send(self, connection, file, body):
        first, count = self.begins[body], self.begins[body + 1] - self.begins[body]
        head = client.request("POST", "/v1/events", self.headers, length=count)
        while True:
            (status, answer), spent = measure.once(lambda: connection.send_with_file(head, file, first, count))
            if status != 429:
                break
            with self.lock:
                self.told["refused"] += 1
            time.sleep(0.1)
        with self.lock:
            self.told["times"].append(spent)
            self.told["errors"] += status != 200
            self.told["accepted"] += json.loads(answer)["accepted"] if status == 200 else 0


def feed(pipe, *arguments):
    """The process of the feeder: says that it is ready, and in the end what it did."""
    feeder = Feeder(*arguments)
    pipe.send("ready")
    pipe.send(feeder.feed())


def asked_alone(running, requests, options):
    return crowd.ask_warm(running.address, requests, options.clients, options.seconds)


def asked_while_fed(running, requests, options, file, begins):
    """What the clients saw, and what the feeder did. The clients are warm already."""
    context = multiprocessing.get_context("spawn")
    pipe, theirs = context.Pipe(duplex=False)
    headers = running.headers | {"Content-Type": "application/x-ndjson"}
    arguments = (theirs, running.address, headers, str(file), begins, options.each / options.rate)
    feeding = context.Process(target=feed, args=arguments, daemon=True)
    feeding.start()
    theirs.close()
    pipe.recv()
    asked = crowd.ask(running.address, requests, options.clients, options.seconds)
    told = pipe.recv()
    feeding.join()
    return asked, told


def tell(report, phases, told, sent):
    report.table(["", *phases])
    report.row(["requests a second", *[asked.rate() for asked in phases.values()]])
    report.row(["errors", *[f"{asked.errors}" for asked in phases.values()]])
    report.row(["cores that the clients took", *[asked.cpu_seconds / asked.seconds for asked in phases.values()]])
    kinds = [("median", measure.median), ("p99", measure.p99), ("max", max)]
    report.table(["ms", *[f"{phase} {kind}" for phase in phases for kind, _ in kinds]])
    lines = [(question.name, [asked.times[n] for asked in phases.values()]) for n, question in enumerate(QUESTIONS)]
    for name, times in [*lines, ("all", [asked.all() for asked in phases.values()])]:
        report.row([name, *[of(spent) if spent else None for spent in times for _, of in kinds]])
    report.table(["ingest", ""])
    report.row(["events sent", f"{sent:,}"])
    report.row(["accepted, durable and answered", f"{told['accepted']:,}"])
    report.row(["events a second", told["accepted"] / told["seconds"]])
    for kind, of in kinds:
        report.row([f"answer to a body, ms, {kind}", of(told["times"])])
    report.row(["bodies refused with 429 and sent again", f"{told['refused']}"])
    report.row(["errors", f"{told['errors']}"])
    report.row(["cores that the sender took", told["cpu_seconds"] / told["seconds"]])


def arguments(parser):
    parser.add_argument("--events", type=int, default=2_000_000, help="in the store before")
    parser.add_argument("--rate", type=int, default=50_000, help="events a second to send")
    parser.add_argument("--each", type=int, default=5_000, help="events a body")
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--clients", type=int, default=16)


def main(options):
    title = f"Answers under ingest, {options.events:,} events"
    report = reporting.Report(title)
    report.say(f"{reporting.machine()}; load when it began {reporting.load_now()}.")
    report.say()
    asking = f"{options.clients} clients ask about {world.MIDDLE} for {options.seconds:g} s, and no answers are kept"
    report.say(f"{asking}; {options.rate:,} events a second are sent, {options.each:,} a body.")
    with tempfile.TemporaryDirectory(dir=options.folder) as scratch:
        store, file, sent = throng.Store(options.binary, scratch), pathlib.Path(scratch, "bodies"), int(options.rate * options.seconds)
        store.load(*world.make(options.folder or scratch, options.events))
        begins = write_bodies(file, options.events, sent, options.each)
        running = store.start()
        requests = [running.request(question, world.MIDDLE) for question in QUESTIONS]
        phases = {"before": asked_alone(running, requests, options)}
        phases["during"], told = asked_while_fed(running, requests, options, file, begins)
        phases["after"] = asked_alone(running, requests, options)
        running.stop()
        tell(report, phases, told, sent)
        held = store.run("verify")
    report.say()
    report.say(f"Afterwards the store is whole, with {held['events']:,} events: {held['events'] - options.events:,} more than before.")
    assert held["events"] == options.events + told["accepted"], "what was acknowledged is not what is there"
    report.say(f"Throng {store.version}. `python benches/compare live --events {options.events} --seconds {options.seconds:g}`")
    if options.keep:
        report.keep(options.keep)
