"""Throng as anyone runs it: loaded by `throng import`, asked over loopback HTTP, JSON and all.

Exact answers need the protection by threshold, with its floor lowered as far as it goes.
"""

import atexit
import http.client
import json
import os
import pathlib
import subprocess
import time

import measure
from questions import FLOOR

POLICY = {"THRONG_PRIVACY_PROTECTION": "threshold", "THRONG_PRIVACY_AUDIENCE_MIN": str(FLOOR)}


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

    def command(self, *arguments):
        return [self.binary, "--data", str(self.data), "--json", *arguments]

    def run(self, *arguments):
        done = subprocess.run(self.command(*arguments), check=True, stdout=subprocess.PIPE, cwd=self.folder, env=environment())
        return json.loads(done.stdout)

    def load(self, events, videos):
        """Seconds, bytes on disk, and the most memory in MB."""
        command = self.command("import", "--seal", str(videos), str(events))
        began = time.perf_counter()
        importing = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=self.folder, env=environment())
        answer = importing.stdout.read()
        _, status, used = os.wait4(importing.pid, 0)
        importing.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - began
        assert importing.returncode == 0 and not json.loads(answer)["rejected"], answer
        return seconds, measure.bytes_of(self.data), used.ru_maxrss / 1024

    def key(self):
        return self.run("key", "create", "--role", "operator")["token"]


class Running:
    """A server on a port of its own."""

    def __init__(self, store, token):
        began = time.perf_counter()
        command = store.command("serve", "--listen", "127.0.0.1:0")
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=store.folder, env=environment())
        atexit.register(self.process.kill)  # where a comparison ends early
        address = json.loads(self.process.stdout.readline())["listening"][0].removeprefix("http://")
        self.opened, self.version = time.perf_counter() - began, store.version
        self.headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
        self.connection = http.client.HTTPConnection(address)

    def ask(self, question, creator):
        query = f"query($id: ID!) {{ creator(id: $id) {{ {question.fields} }} }}"
        self.connection.request("POST", "/graphql", json.dumps({"query": query, "variables": {"id": creator}}), self.headers)
        answer = json.load(self.connection.getresponse())
        assert "errors" not in answer, f"{question.name}: {answer['errors']}"
        return answer["data"]["creator"]

    def once(self, question, creator):
        answer, spent = measure.once(lambda: self.ask(question, creator))
        return question.read(answer), spent

    def repeated(self, question, creator):
        # The server closes connections that were idle while a peer was asked; the first ask opens another.
        self.connection.close()
        answer, times = measure.repeated(lambda: self.ask(question, creator))
        return question.read(answer), times

    def resident_mb(self):
        return measure.resident_mb(self.process.pid)

    def stop(self):
        self.connection.close()
        self.process.terminate()
        self.process.wait()
        atexit.unregister(self.process.kill)
