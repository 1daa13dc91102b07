"""Tables, for the eye and for benches/RESULTS.md."""

import datetime
import os
import pathlib
import platform
import re

import measure


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


def ratio(times):
    """How many times faster Throng, the first, is than the fastest of the others."""
    return f"{min(times[1:]) / times[0]:.1f} ×" if times[1:] else "–"


def times(report, creator, rows, names):
    """`rows`: question, then by engine (cold ms, warm times)."""
    warm = [f"{name} {what}" for name in names for what in ("median", "p99")]
    report.table([creator, *warm, "by median", "by fastest", *[f"{name} cold" for name in names], "by cold"])
    for question, engines in rows:
        spread = [value for _, times in engines for value in (measure.median(times), measure.p99(times))]
        colds = [cold for cold, _ in engines]
        warm = [ratio([of(times) for _, times in engines]) for of in (measure.median, min)]
        report.row([question, *spread, *warm, *colds, ratio(colds)])
