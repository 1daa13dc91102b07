"""Tables, for the eye and for benches/RESULTS.md."""

import datetime
import os
import pathlib
import platform
import re


def number(value):
    if value is None:
        return "–"
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:,.0f}"


class Report:
    """Tables that are printed as they grow and can be kept as Markdown."""

    def __init__(self, title):
        self.title, self.lines = title, []

    def say(self, line=""):
        print(line, flush=True)
        self.lines.append(line)

    def table(self, head):
        self.say()
        self.row(head)
        self.say("|" + "---|" + "---:|" * (len(head) - 1))

    def row(self, cells):
        self.say("| " + " | ".join(cell if isinstance(cell, str) else number(cell) for cell in cells) + " |")

    def keep(self, file):
        """Puts the tables under their title, in place of an earlier run's."""
        file = pathlib.Path(file)
        text = file.read_text() if file.exists() else ""
        section = f"## {self.title}\n\n" + "\n".join(self.lines).strip() + "\n"
        old = re.compile(rf"^## {re.escape(self.title)}\n.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)
        kept, found = old.subn(lambda _: section + "\n", text)
        file.write_text((kept if found else text.rstrip() + "\n\n" + section).rstrip() + "\n")


def machine():
    """What it ran on and when."""
    model = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    today = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
    cpu = model.group(1).strip() if model else platform.machine()
    return f"{today}; {os.cpu_count()} cores ({cpu}), {memory:.0f} GB; Linux {platform.release()}, Python {platform.python_version()}"


def load_now():
    return " ".join(f"{load:.2f}" for load in os.getloadavg())


def ratio(values):
    """How many times less Throng, the first, takes than the best of the others."""
    ours, *others = values
    others = [value for value in others if value]
    return f"{min(others) / ours:.1f} ×" if ours and others else "–"


def head(report, figures):
    report.say(f"{figures['machine']}; load when it began {figures['load_before']}.")


def loads(report, figures):
    loaded, n = figures["load"].values(), figures["events"]
    report.table(["", *figures["load"]])
    report.row(["load, s", *[of["seconds"] for of in loaded]])
    report.row(["events a second", *[n / of["seconds"] for of in loaded]])
    report.row(["bytes an event", *[of["bytes"] / n for of in loaded]])
    report.row(["most memory while loading, MB", *[of["memory_mb"] for of in loaded]])


def answers(report, figures):
    engines = figures["engines"]
    report.say()
    agreed = f"{figures['compared']:,} numbers agree to the last digit; {figures['withheld']:,} more are withheld."
    report.say(agreed if len(engines) > 1 else "No peer answered, so nothing is compared.")
    report.table(["", *engines])
    report.row(["open, s (median of all cold starts)", *[of["open_s"] for of in engines.values()]])
    report.row(["resident after all questions, MB", *[of["resident_mb"] for of in engines.values()]])
    for what in ("median", "p99"):
        report.row([f"floor, ms: {what} of `GET /healthz`, `select 1`", *[of["floor"].get(what) for of in engines.values()]])
    for title in next(iter(engines.values()))["questions"]:
        times(report, f"{title}, ms", {name: of["questions"][title] for name, of in engines.items()})
    versions = ", ".join(f"{name} {of['version']}" for name, of in engines.items())
    report.say()
    report.say(f"{versions}; load when it ended {figures['load_after']}.")
    report.say(f"`python benches/compare --events {figures['events']} --keep benches/RESULTS.md`")


def times(report, title, engines):
    """`engines`: by name, by question, what took how long."""
    warm = [f"{name} {what}" for name in engines for what in ("median", "p99")]
    report.table([title, *warm, "by median", "by fastest", *[f"{name} cold" for name in engines], "by cold"])
    for question in next(iter(engines.values())):
        took = [of[question] for of in engines.values()]
        by = {what: [of.get(what) for of in took] for what in ("median", "p99", "fastest", "cold")}
        spread = [value for pair in zip(by["median"], by["p99"]) for value in pair]
        report.row([question, *spread, ratio(by["median"]), ratio(by["fastest"]), *by["cold"], ratio(by["cold"])])
