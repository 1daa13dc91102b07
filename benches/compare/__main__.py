"""Throng beside DuckDB and ClickHouse, and Throng under load: each is one command, and every number that it prints is measured.

    cargo build --release
    pip install -r benches/requirements.txt
    python benches/compare --keep benches/RESULTS.md            # the same questions to each, at 20 million events
    python benches/compare growth --keep benches/RESULTS.md     # the same at 2, 20 and 100 million, and a chart
    python benches/compare live                                 # Throng answers while 50,000 events a second come in
    python benches/compare rates                                # requests a second of one dashboard
    python benches/compare small-imports                        # a thousand small imports beside one large

`python benches/compare COMMAND --help` tells the rest. A comparison makes the events, loads them into each engine, asks each
question warm and cold for a large, a middle and a small channel, holds the answers to each other to the last digit, and
prints medians, p99s and ratios. Read the ratios, not the times. One engine works at a time.
"""

import argparse
import signal
import sys

import comparison
import growth
import live
import rates
import small_imports

COMMANDS = {"growth": growth, "live": live, "rates": rates, "small-imports": small_imports}


def main():
    name = sys.argv[1] if sys.argv[1:2] and sys.argv[1] in COMMANDS else None
    command = COMMANDS.get(name, comparison)
    what = __doc__ if command is comparison else command.__doc__
    usage = " ".join(["python benches/compare", *filter(None, [name]), "[options]"])
    parser = argparse.ArgumentParser(usage=usage, description=what, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default="target/release/throng")
    parser.add_argument("--folder", help="where the events are made and kept; a temporary one if left out")
    parser.add_argument("--keep", metavar="FILE", help="put the tables into this Markdown file")
    command.arguments(parser)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started ends, and what was made goes
    command.main(parser.parse_args(sys.argv[1 + bool(name) :]))


if __name__ == "__main__":
    main()
