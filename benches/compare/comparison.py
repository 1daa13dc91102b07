"""One comparison: the same events into every engine, the same questions to each, the answers held to each other.

What was measured is a tree of plain numbers (`figures`), which the tables and the chart are made from and JSON keeps.
An engine that failed has a gap in it.
"""

import hashlib
import pathlib
import sys
import tempfile

import agreement
import measure
import peers
import report as reporting
import throng
import world
from questions import OF_PLATFORM, QUESTIONS

CREATORS = {"head": world.HEAD, "middle": world.MIDDLE, "small": world.SMALL}
ASKED = [(title, creator, question) for title, creator in CREATORS.items() for question in QUESTIONS]
ASKED += [("platform", None, question) for question in OF_PLATFORM]


def say(what):
    """Progress, which no file keeps."""
    print(what, file=sys.stderr, flush=True)


def program(binary):
    """What tells one build from another."""
    return hashlib.blake2b(pathlib.Path(binary).read_bytes()).hexdigest()[:12]


def load(engines, files):
    """By engine, what loading it takes; what fails is left out from then on."""
    loaded = {}
    for name, engine in list(engines.items()):
        say(f"load {name}")
        try:
            seconds, stored, memory = engine.load(*files)
            loaded[name] = {"seconds": seconds, "bytes": stored, "memory_mb": memory}
        except peers.Failed as failed:
            say(failed)
            del engines[name]
    return loaded


class Asked:
    """All that one engine answered, and how long it took."""

    def __init__(self, engine):
        self.engine, self.running = engine, None
        self.answers, self.cold, self.warm, self.opened = {}, {}, {}, []
        self.version = self.memory = None
        self.floor = {}

    def ask_cold(self, creator, question):
        """The first question to a new process, its files read from disk."""
        measure.forget_pages(self.engine.files)
        running = self.engine.start()
        self.opened.append(running.opened)
        self.answers[creator, question.name], self.cold[creator, question.name] = running.once(question, creator)
        running.stop()

    def ask_warm(self, creator, question):
        if (creator, question.name) not in self.answers:
            return  # it failed when it was asked cold
        self.running = self.running or self.engine.start()
        answer, times = self.running.repeated(question, creator)
        if answer != self.answers[creator, question.name]:
            raise agreement.Disagreement(f"{question.name} of {creator}: cold and warm answers differ")
        self.warm[creator, question.name] = measure.summary(times)

    def finish(self):
        self.running = self.running or self.engine.start()
        self.floor = measure.summary(self.running.floor())
        self.version, self.memory = self.running.version, self.running.resident_mb()[0]
        self.running.stop()

    def figures(self):
        questions = {title: {} for title, *_ in ASKED}
        for title, creator, question in ASKED:
            key = creator, question.name
            questions[title][question.name] = {"cold": self.cold.get(key), **self.warm.get(key, {})}
        return {
            "version": self.version,
            "open_s": measure.median(self.opened) if self.opened else None,
            "resident_mb": self.memory,
            "floor": self.floor,
            "questions": questions,
        }


def attempt(engine, act):
    """A peer that fails is started anew for the next question."""
    try:
        act()
    except peers.Failed as failed:
        say(failed)
        engine.running = None


def ask(engines):
    """Question by question, each engine in its turn, so that what else the machine does meets all of them alike."""
    asked = {name: Asked(engine) for name, engine in engines.items()}
    for way in ("ask_cold", "ask_warm"):
        for title, creator, question in ASKED:
            say(f"{way.replace('_', ' ')}: {title}, {question.name}")
            for engine in asked.values():
                attempt(engine, lambda: getattr(engine, way)(creator, question))
    for engine in asked.values():
        attempt(engine, engine.finish)
    return asked


def compare(asked):
    """Holds every answer to the others: how many numbers agree, and how many are withheld."""
    ours, *others = [engine.answers for engine in asked.values()]
    compared = withheld = 0
    for _, creator, question in ASKED:
        where, key = f"{question.name} of {creator or 'the platform'}", (creator, question.name)
        truths = [other[key] for other in others if key in other]
        for other in truths[1:]:
            agreement.same(where, truths[0], other)
        if truths:
            more = agreement.check(where, ours[key], truths[0], creator not in (world.HEAD, None) or question.small(truths[0]))
            compared, withheld = compared + more[0], withheld + more[1]
        if creator == world.HEAD and sum(n is not None for n in ours[key].values()) * 2 < len(ours[key]):
            raise agreement.Disagreement(f"{where}: most is withheld, so little is compared")
    return compared, withheld


def run(n, binary, names, folder=None, seconds_max=900):
    """The figures of a comparison of `n` events with these peers. Tables are printed as they fill; the report is returned too."""
    report = reporting.Report(f"{n:,} events")
    figures = {"events": n, "program": program(binary), "machine": reporting.machine(), "load_before": reporting.load_now()}
    reporting.head(report, figures)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        files = world.make(folder or scratch, n)
        engines = {"throng": throng.Store(binary, scratch)} | {name: peers.Store(name, scratch, seconds_max) for name in names}
        figures["load"] = load(engines, files)
        reporting.loads(report, figures)
        if not folder:
            files[0].unlink()  # the room is needed where there are many
        asked = ask(engines)
        figures["compared"], figures["withheld"] = compare(asked)
        figures["engines"] = {name: engine.figures() for name, engine in asked.items()}
    figures["load_after"] = reporting.load_now()
    reporting.answers(report, figures)
    return figures, report


def told(figures):
    """The report of figures that were kept."""
    report = reporting.Report(f"{figures['events']:,} events")
    for part in (reporting.head, reporting.loads, reporting.answers):
        part(report, figures)
    return report


def arguments(parser):
    parser.add_argument("--events", type=int, default=20_000_000, help="200,000 at least: with fewer, most is withheld")
    peer_arguments(parser)


def peer_arguments(parser):
    parser.add_argument("--peers", nargs="*", default=list(peers.PEERS), choices=[*peers.PEERS, "none"], help="`none`: Throng alone")
    parser.add_argument("--peer-seconds-max", type=float, default=900, help="for one statement of a peer, loading too (900)")


def named(options):
    return [name for name in options.peers if name != "none"]


def main(options):
    _, report = run(options.events, options.binary, named(options), options.folder, options.peer_seconds_max)
    if options.keep:
        report.keep(options.keep)
