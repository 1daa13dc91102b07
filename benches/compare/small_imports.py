"""Many small imports beside one large: what each hundred takes, and what the questions cost in the end.

    python benches/compare small-imports [--imports 1000] [--each 20000]

The same events, in the order of their time, go into one store by an import of its own each, opening the store anew, and into
another at once. Days are sealed at the end. Both stores must answer alike. `POST /v1/events` is not used, because a serving
store seals days that are long over by itself, so events of the past would count as late.
"""

import pathlib
import tempfile
import time

import pyarrow.parquet as parquet

import agreement
import measure
import report as reporting
import throng
import world
from comparison import ASKED, say

HUNDRED = 100


def last_day():
    return time.strftime("%Y-%m-%d", time.gmtime(world.START_MS / 1000 + (world.DAYS - 1) * 86_400))


def load_in_parts(report, store, scratch, options, catalogue):
    """Imports each part; after each hundred says what it took."""
    n = options.imports * options.each
    store.run("import", *map(str, catalogue))
    report.table(["imports", "median, ms", "slowest, ms", "all, s", "bytes an event", "segments", "events in the log"])
    times, part = [], pathlib.Path(scratch, "part.parquet")
    for number in range(1, options.imports + 1):
        parquet.write_table(world.events((number - 1) * options.each, options.each, n), part, compression="zstd")
        answer, spent = measure.once(lambda: store.run("import", str(part)))
        assert answer["accepted"] == options.each, answer
        times.append(spent)
        if number % HUNDRED == 0 or number == options.imports:
            held, events = store.run("verify"), number * options.each
            size = measure.bytes_of(store.data) / events
            took = measure.median(times), max(times), sum(times) / 1000
            report.row([f"… {number:,}", *took, size, str(held["segments"]), f"{held['tail_events']:,}"])
            times = []


def ask(stores):
    """By store, question by question: the answer and its times."""
    running = {name: store.start() for name, store in stores.items()}
    asked = {name: {} for name in stores}
    for title, creator, question in ASKED:
        say(f"{title}, {question.name}")
        for name in stores:
            asked[name][title, question.name] = running[name].repeated(question, creator)
    memory = {name: of.resident_mb()[0] for name, of in running.items()}
    for of in running.values():
        of.stop()
    return asked, memory


def compare(report, asked):
    """The medians side by side, after the answers were found alike."""
    table = None
    for title, _, question in ASKED:
        if title != table:
            table = title
            report.table([f"{title}, ms", *asked, "times as long"])
        (one, ones), (other, others) = [of[title, question.name] for of in asked.values()]
        if one != other:
            raise agreement.Disagreement(f"{question.name} of {title}: the two stores differ")
        medians = measure.median(ones), measure.median(others)
        report.row([question.name, *medians, medians[0] / medians[1]])


def arguments(parser):
    parser.add_argument("--imports", type=int, default=1_000)
    parser.add_argument("--each", type=int, default=20_000)


def main(options):
    n = options.imports * options.each
    report = reporting.Report(f"{options.imports:,} imports of {options.each:,} events")
    report.say(f"{reporting.machine()}; load when it began {reporting.load_now()}.")
    with tempfile.TemporaryDirectory(dir=options.folder) as scratch:
        stores = {name: throng.Store(options.binary, pathlib.Path(scratch, name)) for name in ("parts", "at once")}
        events, videos, creators = world.make(options.folder or scratch, n)
        say("load at once")
        seconds, size, _ = stores["at once"].load(events, videos, creators)
        load_in_parts(report, stores["parts"], scratch, options, [creators, videos])
        _, sealing = measure.once(lambda: stores["parts"].run("seal", "--through", last_day()))
        held = {name: store.run("verify") for name, store in stores.items()}
        sizes = {name: measure.bytes_of(store.data) for name, store in stores.items()}
        asked, memory = ask(stores)
    report.say()
    report.say(f"At once it took {seconds:.1f} s, sealing included; sealing the parts took {sealing / 1000:.1f} s.")
    report.table(["once sealed", *stores])
    report.row(["bytes an event", *[of / n for of in sizes.values()]])
    report.row(["segments", *[str(of["segments"]) for of in held.values()]])
    report.row(["resident after all questions, MB", *memory.values()])
    compare(report, asked)
    report.say()
    report.say(f"Throng {stores['parts'].version}. `python benches/compare small-imports --imports {options.imports} --each {options.each}`")
    if options.keep:
        report.keep(options.keep)
