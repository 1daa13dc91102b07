"""DuckDB and ClickHouse (chdb) inside a Python process of their own, so that memory and cold starts are theirs alone.

Tables are sorted by creator and time, traits have their best types, and the viewer is kept as a number, which favours the
peers: Throng takes any text. Each peer gets as many threads as the machine has cores, two at most.
"""

import importlib
import json
import multiprocessing
import os
import pathlib
import time

import measure
import world

THREADS = min(2, os.cpu_count() or 1)
TRAITS = {"kind": world.KINDS, "source": world.SOURCES, "country": world.COUNTRIES, "age": world.AGES, "gender": world.GENDERS, "device": world.DEVICES}


class DuckDb:
    name = module = "duckdb"
    words = {"arg_max": "arg_max", "div": "divide", "weekday": "isodow", "hour": "hour"}

    def __init__(self, folder):
        import duckdb

        self.version, self.path = duckdb.__version__, f"{folder}/events.duckdb"
        self.database = duckdb.connect(self.path)
        self.database.execute(f"set threads = {THREADS}")
        self.database.execute("set enable_progress_bar = false")

    def load(self, events, videos):
        run = self.database.execute
        for trait, words in TRAITS.items():
            run(f"create type {trait}_word as enum ({', '.join(repr(word) for word in ['unknown', *words])})")
        traits = ", ".join(f"coalesce({trait}, 'unknown')::{trait}_word as {trait}" for trait in TRAITS)
        run(f"""create table events as select event_id, make_timestamp_ms(ts) as ts, substr(viewer, 2)::uinteger as viewer, creator,
                coalesce(video, '') as video, coalesce(watch_ms, 0)::uinteger as watch_ms, {traits}, follower
                from '{events}' order by creator, ts""")
        run(f"create table videos as select video, creator, coalesce(duration_ms, 0)::uinteger as duration_ms from '{videos}' order by creator, video")
        run(f"create table tags as select unnest(hashtags) as tag, video, creator from '{videos}' order by tag, video")
        run("checkpoint")

    def fetch(self, sql):
        return self.database.execute(sql).fetchall()

    def rows(self, fetched):
        return fetched

    def bytes(self):
        return measure.bytes_of(self.path)


class ClickHouse:
    name, module = "chdb", "chdb.session"
    words = {"arg_max": "argMax", "div": "intDiv", "weekday": "toDayOfWeek", "hour": "toHour"}

    def __init__(self, folder):
        import chdb.session

        self.session = chdb.session.Session(f"{folder}/clickhouse")
        self.session.query(f"set max_threads = {THREADS}")
        self.session.query("create database if not exists bench")
        self.session.query("use bench")
        self.version = self.ask("select version()")[0][0]
        assert self.ask("select getSetting('max_threads')") == [[THREADS]]

    def load(self, events, videos):
        run = self.session.query
        numbered = lambda words: ", ".join(f"'{word}' = {n}" for n, word in enumerate(["unknown", *words]))
        traits = ", ".join(f"{trait} Enum8({numbered(words)})" for trait, words in TRAITS.items())
        run(f"""create table events (event_id String codec(ZSTD(1)), ts DateTime64(3, 'UTC') codec(Delta, ZSTD(1)), viewer UInt32,
                creator LowCardinality(String), video LowCardinality(String), watch_ms UInt32, {traits}, follower Bool)
                engine = MergeTree order by (creator, ts) settings old_parts_lifetime = 1""")
        taken = ", ".join(f"ifNull({trait}, 'unknown')" for trait in TRAITS)
        run(f"""insert into events select assumeNotNull(event_id), fromUnixTimestamp64Milli(assumeNotNull(ts), 'UTC'),
                toUInt32(substring(assumeNotNull(viewer), 2)), assumeNotNull(creator), ifNull(video, ''), ifNull(watch_ms, 0),
                {taken}, assumeNotNull(follower) from file('{events}', Parquet)""")
        run("""create table videos (video String, creator LowCardinality(String), duration_ms UInt32)
               engine = MergeTree order by (creator, video)""")
        run(f"insert into videos select assumeNotNull(video), assumeNotNull(creator), ifNull(duration_ms, 0) from file('{videos}', Parquet)")
        run("""create table tags (tag LowCardinality(String), video LowCardinality(String), creator LowCardinality(String))
               engine = MergeTree order by (tag, video)""")
        run(f"""insert into tags select assumeNotNull(arrayJoin(hashtags)), assumeNotNull(video), assumeNotNull(creator)
                from file('{videos}', Parquet)""")
        run("optimize table tags final")
        run("optimize table events final")
        run("optimize table videos final")

    def fetch(self, sql):
        return self.session.query(sql, "JSONCompactEachRow").bytes()

    def rows(self, fetched):
        """Read apart, so that no engine's time holds the reading of JSON."""
        return [json.loads(line) for line in fetched.splitlines()]

    def ask(self, sql):
        return self.rows(self.fetch(sql))

    def bytes(self):
        """Of the parts in use: those that were merged away lie about for a while."""
        return int(self.ask("select sum(bytes_on_disk) from system.parts where active and database = 'bench'")[0][0])


PEERS = {peer.name: peer for peer in (DuckDb, ClickHouse)}


class Failed(Exception):
    """A peer that ran out of time or memory: a gap in the tables, not the end of the comparison."""


def serve(pipe, name, folder):
    """The process of a peer: opens the store, then does what the pipe says until it says nothing more."""
    importlib.import_module(PEERS[name].module)  # the interpreter's business, not the store's
    began = time.perf_counter()
    peer = PEERS[name](folder)
    peer.fetch("select 1")
    pipe.send((time.perf_counter() - began, peer.version))
    while (said := pipe.recv()) is not None:
        what, arguments = said
        if what == "load":
            began = time.perf_counter()
            peer.load(*arguments)
            pipe.send((time.perf_counter() - began, peer.bytes()))
        else:
            names = {"creator": arguments[0], "other": world.BESIDE.get(arguments[0])}
            statements = [sql.format(**names, **peer.words) for sql in arguments[1]]
            ask = lambda: [peer.fetch(sql) for sql in statements]
            answer, spent = measure.once(ask) if what == "once" else measure.repeated(ask)
            pipe.send(([peer.rows(fetched) for fetched in answer], spent))


class Store:
    """A peer's folder, and how long it may take for anything that it is told."""

    def __init__(self, name, folder, seconds_max):
        self.name, self.folder, self.seconds_max = name, pathlib.Path(folder, name), seconds_max
        self.folder.mkdir(parents=True, exist_ok=True)

    @property
    def files(self):
        return self.folder

    def start(self):
        return Running(self)

    def load(self, events, videos, _creators):
        """Seconds, bytes on disk, and the most memory in MB."""
        running = self.start()
        loaded = (*running.do("load", str(events), str(videos)), running.resident_mb()[1])
        running.stop()
        return loaded


class Running:
    """A peer's process."""

    def __init__(self, store):
        self.name, self.seconds_max = store.name, store.seconds_max
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(theirs, self.name, str(store.folder)), daemon=True)
        self.process.start()
        theirs.close()
        self.opened, self.version = self._hear("open")

    def do(self, what, *arguments):
        return self._hear(what, (what, arguments))

    def _hear(self, what, *said):
        """Says these things and returns the answer, if it comes in time."""
        try:
            for message in said:
                self.pipe.send(message)
            if self.pipe.poll(self.seconds_max):
                return self.pipe.recv()
            why = f"took more than {self.seconds_max:g} s"
        except (EOFError, ConnectionError):
            why = "ended"
        self.process.kill()
        self.process.join()
        raise Failed(f"{self.name}: {what}: {why}")

    def once(self, question, creator):
        results, spent = self.do("once", creator, question.statements())
        return question.cells(results), spent

    def repeated(self, question, creator):
        results, times = self.do("repeated", creator, question.statements())
        return question.cells(results), times

    def floor(self):
        """What asking at all costs."""
        return self.do("repeated", "", ["select 1"])[1]

    def resident_mb(self):
        return measure.resident_mb(self.process.pid)

    def stop(self):
        self.pipe.send(None)
        self.process.join()
