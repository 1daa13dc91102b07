"""Throng beside DuckDB and ClickHouse: the same events, the same questions, in one run on this machine.

    cargo build --release
    pip install -r benches/requirements.txt
    python benches/compare [--events 20000000] [--binary target/release/throng] [--keep benches/RESULTS.md]

Makes the events, loads them into each engine, asks each question warm and cold for a large, a middle and a small channel,
holds the answers to each other to the last digit, and prints medians, p99s and ratios. Read the ratios, not the
times. One engine works at a time. `--events 100000000` takes five times as long as the default, and its disk and memory.
"""

import argparse
import functools
import pathlib
import tempfile

import agreement
import measure
import peers
import report as reporting
import throng
import world
from questions import QUESTIONS

CREATORS = {"head": world.HEAD, "middle": world.MIDDLE, "small": world.SMALL}


def load(report, engines, events, videos, n):
    """Loads every engine and compares what that takes."""
    loaded = {}
    for name, folder in engines.items():
        if isinstance(folder, throng.Store):
            loaded[name] = folder.load(events, videos)
        else:
            peer = peers.Running(name, folder)
            loaded[name] = (*peer.load(events, videos), peer.resident_mb()[1])
            peer.stop()
    report.table(["", *engines])
    report.row(["load, s", *[seconds for seconds, _, _ in loaded.values()]])
    report.row(["events a second", *[n / seconds for seconds, _, _ in loaded.values()]])
    report.row(["bytes an event", *[stored / n for _, stored, _ in loaded.values()]])
    report.row(["most memory while loading, MB", *[memory for _, _, memory in loaded.values()]])


class Asked:
    """All that one engine answered, and how long it took."""

    def __init__(self, start, files):
        self.start, self.files = start, files
        self.answers, self.cold, self.warm, self.opened = {}, {}, {}, []

    def ask_cold(self, creator, question):
        """The first question to a new process, its files read from disk."""
        measure.forget_pages(self.files)
        running = self.start()
        self.opened.append(running.opened)
        self.answers[creator, question.name], self.cold[creator, question.name] = running.once(question, creator)
        running.stop()

    def ask_warm(self, running, creator, question):
        answer, self.warm[creator, question.name] = running.repeated(question, creator)
        if answer != self.answers[creator, question.name]:
            raise agreement.Disagreement(f"{question.name} of {creator}: cold and warm answers differ")

    def finish(self, running):
        self.version, self.memory = running.version, running.resident_mb()[0]
        running.stop()


def ask(engines):
    """Question by question, each engine in its turn, so that what else the machine does meets all of them alike."""
    asked = {}
    for name, engine in engines.items():
        if isinstance(engine, throng.Store):
            start, files = functools.partial(throng.Running, engine, engine.key()), engine.data
        else:
            start, files = functools.partial(peers.Running, name, engine), pathlib.Path(engine, name)
        asked[name] = Asked(start, files)
    questions = [(creator, question) for creator in CREATORS.values() for question in QUESTIONS]
    for creator, question in questions:
        for engine in asked.values():
            engine.ask_cold(creator, question)
    running = {name: engine.start() for name, engine in asked.items()}
    for creator, question in questions:
        for name, engine in asked.items():
            engine.ask_warm(running[name], creator, question)
    for name, engine in asked.items():
        engine.finish(running[name])
    return asked


def compare(report, asked):
    """Holds every answer to the others."""
    ours, *others = asked.values()
    compared = withheld = 0
    for creator in CREATORS.values():
        for question in QUESTIONS:
            where, key = f"{question.name} of {creator}", (creator, question.name)
            for other in others[1:]:
                agreement.same(where, others[0].answers[key], other.answers[key])
            if others:
                truth = others[0].answers[key]
                more = agreement.check(where, ours.answers[key], truth, creator != world.HEAD or question.small(truth))
                compared, withheld = compared + more[0], withheld + more[1]
            if creator == world.HEAD and sum(n is not None for n in ours.answers[key].values()) * 2 < len(ours.answers[key]):
                raise agreement.Disagreement(f"{where}: most is withheld, so little is compared")
    report.say()
    report.say(f"{compared:,} numbers agree to the last digit; {withheld:,} more are withheld.")


def tell(report, asked):
    report.table(["", *asked])
    report.row(["open, s (median of all cold starts)", *[measure.median(engine.opened) for engine in asked.values()]])
    report.row(["resident after all questions, MB", *[engine.memory for engine in asked.values()]])
    for title, creator in CREATORS.items():
        rows = [
            (question.name, [(engine.cold[creator, question.name], engine.warm[creator, question.name]) for engine in asked.values()])
            for question in QUESTIONS
        ]
        reporting.times(report, f"{title} ({creator}), ms", rows, list(asked))


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--events", type=int, default=20_000_000, help="200,000 at least: with fewer, most is withheld")
    arguments.add_argument("--binary", default="target/release/throng")
    arguments.add_argument("--folder", help="where the events are made and kept; a temporary one if left out")
    arguments.add_argument("--peers", nargs="*", default=list(peers.PEERS), choices=list(peers.PEERS))
    arguments.add_argument("--keep", metavar="FILE", help="put the tables into this Markdown file")
    options = arguments.parse_args()
    report = reporting.Report(f"{options.events:,} events")
    report.say(f"{reporting.machine()}; load when it began {reporting.load_now()}.")
    with tempfile.TemporaryDirectory(dir=options.folder) as scratch:
        events, videos = world.make(options.folder or scratch, options.events)
        engines = {"throng": throng.Store(options.binary, scratch)} | {name: scratch for name in options.peers}
        load(report, engines, events, videos, options.events)
        asked = ask(engines)
        compare(report, asked)
        tell(report, asked)
    versions = ", ".join(f"{name} {engine.version}" for name, engine in asked.items())
    report.say()
    report.say(f"{versions}; load when it ended {reporting.load_now()}.")
    report.say(f"`python benches/compare --events {options.events} --keep benches/RESULTS.md`")
    if options.keep:
        report.keep(options.keep)


if __name__ == "__main__":
    main()
