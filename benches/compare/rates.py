"""Requests a second of one dashboard, and of a path that costs the server nothing.

    python benches/compare rates [--events 2000000] [--seconds 10] [--clients 16]

Asks for the middle channel's dashboard over connections that stay open, with no answers kept and, where the program can, with
as many kept as its configuration allows by itself; all requests are the same, so each but the first finds a kept one. By `wrk`,
if it is installed (`--no-wrk` leaves it), else by this package's own clients. Either shares the cores with the server.
"""

import json
import pathlib
import shutil
import subprocess
import tempfile

import crowd
import measure
import report as reporting
import throng
import world
from questions import DASHBOARD

# What wrk sends, and how it tells what came out; times are in µs.
SCRIPT = """
wrk.method, wrk.path, wrk.body = %s, %s, %s
%s
function done(summary, latency, requests)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format('\\n{"requests": %%d, "us": %%d, "errors": %%d, "median": %%d, "p99": %%d, "max": %%d}\\n', summary.requests,
    summary.duration, failed, latency:percentile(50), latency:percentile(99), latency.max))
end
"""


def lua(text):
    return '"' + "".join(f"\\{byte:03d}" for byte in text.encode()) + '"'


def by_wrk(address, request, options, scratch):
    """The row of one request, which is taken apart for wrk to make again."""
    head, body = request.decode().split("\r\n\r\n", 1)
    (method, path, _), headers = head.split("\r\n")[0].split(" "), [line.split(": ", 1) for line in head.split("\r\n")[1:]]
    kept = "\n".join(f"wrk.headers[{lua(name)}] = {lua(value)}" for name, value in headers if name not in ("Host", "Content-Length"))
    script = pathlib.Path(scratch, "request.lua")
    script.write_text(SCRIPT % (lua(method), lua(path), lua(body) if body else "nil", kept))
    command = ["wrk", "-t1", f"-c{options.clients}", f"-d{options.seconds:g}s", "-s", str(script), f"http://{address}"]
    subprocess.run([*command[:3], f"-d{crowd.WARM_UP_SECONDS}s", *command[4:]], check=True, capture_output=True)
    done = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    told = json.loads(done.strip().splitlines()[-1])
    return [told["requests"] * 1e6 / told["us"], told["median"] / 1e3, told["p99"] / 1e3, told["max"] / 1e3, f"{told['errors']}"]


def by_crowd(address, request, options, scratch):
    asked = crowd.ask_warm(address, [request], options.clients, options.seconds)
    times = asked.all()
    return [asked.rate(), measure.median(times), measure.p99(times), max(times), f"{asked.errors}"]


def arguments(parser):
    parser.add_argument("--events", type=int, default=2_000_000)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--no-wrk", action="store_true")


def main(options):
    wrk = shutil.which("wrk") and not options.no_wrk
    ask, asker = (by_wrk, "wrk") if wrk else (by_crowd, "this package's own clients, in Python")
    report = reporting.Report(f"Requests a second, {options.events:,} events")
    report.say(f"{reporting.machine()}; load when it began {reporting.load_now()}.")
    report.say()
    report.say(f"Asked by {asker}, on the same cores, over {options.clients} connections for {options.seconds} s each.")
    report.table(["", "requests a second", "median, ms", "p99, ms", "max, ms", "errors"])
    with tempfile.TemporaryDirectory(dir=options.folder) as scratch:
        store = throng.Store(options.binary, scratch)
        store.load(*world.make(options.folder or scratch, options.events))
        for keep in (False, True) if store.answers_cache else (False,):
            running = store.start(keep)
            running.once(DASHBOARD, world.MIDDLE)  # read and found free of errors, which the clients do not look for
            if not keep:
                report.row(["`GET /healthz`", *ask(running.address, throng.HEALTH, options, scratch)])
            request = running.request(DASHBOARD, world.MIDDLE)
            report.row([f"dashboard, {'answers kept' if keep else 'no answers kept'}", *ask(running.address, request, options, scratch)])
            running.stop()
    report.say()
    if not store.answers_cache:
        report.say("This program keeps no answers, so there is no line with them.")
    report.say(f"Throng {store.version}. `python benches/compare rates --events {options.events}`")
    if options.keep:
        report.keep(options.keep)
