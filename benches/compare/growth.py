"""The comparison at several sizes, and a chart of how each engine grows.

    python benches/compare growth [--sizes 2000000,20000000,100000000] [--again] [--keep benches/RESULTS.md]
    python benches/compare growth --sizes 500000000 --peers none    # Throng alone: the peers have a gap there

Each size's figures go into benches/results/SIZE.json as soon as they are there, so a run that was interrupted goes on where it
was: a size that has figures is measured only `--again`. The chart shows every size that has. All engines
together take some 100 bytes of disk an event (TMPDIR or --folder says where), and for moments twice that.
"""

import json
import math
import os
import pathlib

import chart
import comparison
import report as reporting
from comparison import CREATORS

HERE = pathlib.Path(__file__).resolve().parent.parent
RESULTS, CHART = HERE / "results", HERE / "growth.svg"


def typical(questions):
    """The geometric mean of the questions' medians; the dashboard is left out, since it asks some of them again. None where one is missing."""
    medians = [of.get("median") for name, of in questions.items() if name != "dashboard"]
    return None if None in medians else math.exp(sum(map(math.log, medians)) / len(medians))


def rows(figures):
    """By engine, what the chart shows of one size."""
    for name in figures["load"]:
        load, asked = figures["load"][name], figures["engines"].get(name, {"questions": {}})
        yield name, {
            **{title: typical(questions) for title, questions in asked["questions"].items()},
            "rate": figures["events"] / load["seconds"],
            "stored": load["bytes"] / figures["events"],
            "open": asked.get("open_s"),
            "resident": asked.get("resident_mb"),
        }


PANELS = [
    *[chart.Panel(title, f"Questions, {title} channel", "ms, less is better", tuple(CREATORS)) for title in CREATORS],
    chart.Panel("platform", "Questions, all channels", "ms, less is better"),
    chart.Panel("rate", "Load", "events a second, more is better"),
    chart.Panel("stored", "Disk", "bytes an event, less is better"),
    chart.Panel("open", "Open", "seconds, less is better"),
    chart.Panel("resident", "Memory after all questions", "MB, less is better"),
]


def measured(n, options):
    """The report of one size, measured now or kept from before."""
    file = RESULTS / f"{n}.json"
    if file.exists() and not options.again:
        figures = json.loads(file.read_text())
        whose = "this" if figures["program"] == comparison.program(options.binary) else "ANOTHER"
        comparison.say(f"{n:,} events: kept figures of {whose} build, {figures['machine'].split(';')[0]}; --again measures anew")
        return comparison.told(figures)
    figures, report = comparison.run(n, options.binary, comparison.named(options), options.folder, options.peer_seconds_max)
    RESULTS.mkdir(exist_ok=True)
    partial = file.with_suffix(".partial")
    partial.write_text(json.dumps(rounded(figures), indent=1, ensure_ascii=False) + "\n")
    partial.rename(file)
    return report


def rounded(figures):
    """To six digits, which is more than a clock is good for."""
    return json.loads(json.dumps(figures), parse_float=lambda text: float(f"{float(text):.6g}"))


def draw():
    """The chart and its table, of all sizes that have figures."""
    found = [json.loads(file.read_text()) for file in RESULTS.glob("*.json")]
    points = {figures["events"]: dict(rows(figures)) for figures in sorted(found, key=lambda figures: figures["events"])}
    CHART.write_text(chart.svg(PANELS, points))
    return points


def summary(points, beside):
    report = reporting.Report("Growth")
    report.say(f"![How times, load, disk and memory grow with the events]({os.path.relpath(CHART, beside)})")
    report.say()
    report.say("Questions in ms: the geometric mean of all medians but the dashboard's, which asks some of them again.")
    titles = ["head", "middle", "small", "platform", "load, events a second", "bytes an event", "open, s", "resident, MB"]
    report.table(["events", "engine", *titles])
    for n, engines in points.items():
        for name, values in engines.items():
            report.row([f"{n:,}", name, *[values.get(panel.key) for panel in PANELS]])
    report.say()
    report.say("`python benches/compare growth --keep benches/RESULTS.md`")
    return report


def sizes(text):
    return [int(size) for size in text.split(",")]


def arguments(parser):
    parser.add_argument("--sizes", type=sizes, default=sizes("2000000,20000000,100000000"), metavar="N,N,…")
    parser.add_argument("--again", action="store_true", help="measure sizes that have figures as well")
    comparison.peer_arguments(parser)


def main(options):
    reports = [measured(n, options) for n in options.sizes]
    reports.append(summary(draw(), pathlib.Path(options.keep or HERE / "RESULTS.md").resolve().parent))
    for report in reports if options.keep else []:
        report.keep(options.keep)
