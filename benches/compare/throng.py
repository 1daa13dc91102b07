"""Throng as anyone runs it: loaded by `throng import`, asked over loopback HTTP, JSON and all.

Exact answers need the protection by threshold, with its floor lowered as far as it goes.
"""

import atexit
import functools
import json
import os
import pathlib
import subprocess
import time

import client
import measure
from questions import FLOOR, LAST

POLICY = {"THRONG_PRIVACY_PROTECTION": "threshold", "THRONG_PRIVACY_AUDIENCE_MIN": str(FLOOR)}
HEALTH = client.request("GET", "/healthz", {})


def environment():
    clean = {name: value for name, value in os.environ.items() if not name.startswith("THRONG_")}
    return clean | POLICY


class Store:
    """A data directory and the program that serves it."""

    name = "throng"

    def __init__(self, binary, folder):
        self.binary, self.folder = str(pathlib.Path(binary).resolve()), pathlib.Path(folder, "throng")
        self.folder.mkdir(parents=True, exist_ok=True)
        self.data = self.folder / "data"
        self.version = subprocess.run([self.binary, "--version"], check=True, capture_output=True, text=True).stdout.split()[1]
        # Kept answers are no measure of the engine: off, unless a server is asked to keep them.
        keys = self.run("config")
        self.answers_cache = next((of["variable"] for key, of in keys.items() if key.endswith(".answers_cache_bytes_max")), None)
        self.rate = next((of["variable"] for key, of in keys.items() if key == "rate.points_max"), None)

    def command(self, *arguments):
        return [self.binary, "--data", str(self.data), "--json", *arguments]

    def run(self, *arguments):
        done = subprocess.run(self.command(*arguments), check=True, stdout=subprocess.PIPE, cwd=self.folder, env=environment())
        return json.loads(done.stdout)

    def load(self, events, videos, creators):
        """Seconds, bytes on disk, and the most memory in MB."""
        command = self.command("import", "--seal", str(creators), str(videos), str(events))
        began = time.perf_counter()
        importing = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=self.folder, env=environment())
        peak = measure.Peak(importing.pid)
        answer = importing.stdout.read()
        importing.wait()
        self.run("seal", "--through", str(LAST))  # of every channel, as the platform's own questions need it
        seconds = time.perf_counter() - began
        assert importing.returncode == 0 and not json.loads(answer)["rejected"], answer
        return seconds, measure.bytes_of(self.data), peak.mb()

    @functools.cached_property
    def token(self):
        return self.run("key", "create", "--role", "operator")["token"]

    @property
    def files(self):
        return self.data

    def start(self, keep_answers=False):
        settings = {self.answers_cache: "0"} if self.answers_cache and not keep_answers else {}
        if self.rate:
            settings[self.rate] = "0"  # one client asks all there is
        return Running(self, self.token, settings)


class Running:
    """A server on a port of its own."""

    def __init__(self, store, token, settings):
        began = time.perf_counter()
        command = store.command("serve", "--listen", "127.0.0.1:0")
        env = environment() | settings
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=store.folder, env=env)
        atexit.register(self.process.kill)  # where a comparison ends early
        self.address = json.loads(self.process.stdout.readline())["listening"][0].removeprefix("http://")
        self.opened, self.version = time.perf_counter() - began, store.version
        self.headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}

    def request(self, question, creator):
        query, variables = question.document(creator)
        body = json.dumps({"query": query, "variables": variables}).encode()
        return client.request("POST", "/graphql", self.headers, body)

    def _measured(self, how, request):
        """The last answer and the time or times; each on a connection of its own, since the server closes idle ones."""
        connection = client.Connection(self.address)
        (status, body), spent = how(lambda: connection.send(request))
        connection.close()
        assert status == 200, (status, body)
        return body, spent

    def _asked(self, how, question, creator):
        body, spent = self._measured(how, self.request(question, creator))
        answer = json.loads(body)
        assert "errors" not in answer, f"{question.name}: {answer['errors']}"
        return question.read(answer["data"][question.about]), spent

    def once(self, question, creator):
        return self._asked(measure.once, question, creator)

    def repeated(self, question, creator):
        return self._asked(measure.repeated, question, creator)

    def floor(self):
        """What the client and the way there cost: a path that the server answers without work."""
        return self._measured(measure.repeated, HEALTH)[1]

    def resident_mb(self):
        return measure.resident_mb(self.process.pid)

    def stop(self):
        self.process.terminate()
        self.process.wait()
        atexit.unregister(self.process.kill)
