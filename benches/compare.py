"""Throng beside DuckDB on the same events in the same run: load, disk, and a creator's questions, answers compared.

    cargo build --release
    pip install -r tests/requirements.txt
    python benches/compare.py [--events 2000000] [--binary target/release/throng]

Both run on this machine, one after the other; read the ratios, not the times. Throng is asked over HTTP, so its times hold
a request and JSON as well. DuckDB's table is sorted by creator and time. The floor is lowered to its compiled minimum and the
questions are about large channels, so that nothing is withheld and the answers can be compared to the last digit.
"""

import argparse, json, os, pathlib, re, statistics, subprocess, tempfile, time, urllib.request

import duckdb

DAY_MS = 86_400_000
START_MS = 1_767_225_600_000  # 2026-01-01
FIRST, LAST = "2026-03-02", "2026-03-29"  # four whole weeks
RUNS = 9

EVENTS = """
select 'e' || i as event_id,
       {start} + (i * (90.0 * {day} / {n})::double)::bigint as ts,
       case when r < .45 then 'impression' when r < .85 then 'view' when r < .93 then 'like' when r < .95 then 'comment'
            when r < .97 then 'share' when r < .985 then 'save' when r < .995 then 'follow' else 'profile_view' end as kind,
       'viewer-' || v as viewer, 'c' || c as creator, 'v' || (c * 20 + hash(i * 7) % 20) as video,
       case when r >= .45 and r < .85 then (hash(i * 11) % 60000)::int end as watch_ms,
       (['for_you', 'following', 'profile', 'search'])[(1 + hash(i * 13) % 4)::int] as source,
       (['US', 'DE', 'BR', 'IN', 'JP', 'GB', 'FR', 'MX'])[(1 + hash(v) % 8)::int] as country,
       (['13-17', '18-24', '25-34', '35-44', '45-54'])[(1 + hash(v + 1) % 5)::int] as age,
       (['female', 'male', 'other'])[(1 + hash(v + 2) % 3)::int] as gender,
       (['android', 'ios', 'web'])[(1 + hash(v + 3) % 3)::int] as device
from (select range as i, (hash(range) % 1000000) / 1e6 as r,
             floor({viewers} * pow((hash(range * 3) % 1000003) / 1000003.0, 2))::bigint as v,
             floor({creators} * pow((hash(range * 5) % 1000033) / 1000033.0, 4))::bigint as c
      from range({n}))
"""

WINDOW = f"creator = ? and day between date '{FIRST}' and date '{LAST}'"
REACH = f"audience(window: {{kind: LAST_28_DAYS, date: \"{LAST}\"}})"

# name -> (GraphQL inside `creator`, how to read the answer, SQL)
QUESTIONS = {
    "totals": (
        f'counters(range: {{from: "{FIRST}", to: "{LAST}"}}) {{ views {{ value }} likes {{ value }} shares {{ value }} }}',
        lambda c: [(c["counters"]["views"]["value"], c["counters"]["likes"]["value"], c["counters"]["shares"]["value"])],
        f"select count(*) filter (kind = 'view'), count(*) filter (kind = 'like'), count(*) filter (kind = 'share') from events where {WINDOW}",
    ),
    "daily series": (
        f'series(range: {{from: "{FIRST}", to: "{LAST}"}}, granularity: DAY) {{ date counters {{ views {{ value }} }} }}',
        lambda c: [(p["date"], p["counters"]["views"]["value"]) for p in c["series"]],
        f"select day::varchar, count(*) filter (kind = 'view') from events where {WINDOW} group by day order by day",
    ),
    "reach": (
        REACH + " { reach { value } }",
        lambda c: [(c["audience"]["reach"]["value"],)],
        f"select count(distinct viewer) from events where {WINDOW} and kind = 'view'",
    ),
    "countries": (
        REACH + " { breakdown(by: COUNTRY, first: 100) { rows { key measure { value } } } }",
        lambda c: sorted((r["key"], r["measure"]["value"]) for r in c["audience"]["breakdown"]["rows"]),
        f"select country, count(*) from (select viewer, arg_max(country, ts) country from events where {WINDOW} and kind = 'view' group by viewer) group by country order by country",
    ),
    "top videos": (
        f'topVideos(range: {{from: "{FIRST}", to: "{LAST}"}}, by: VIEWS, first: 5) {{ value {{ value }} }}',
        lambda c: [(v["value"]["value"],) for v in c["topVideos"]],
        f"select count(*) filter (kind = 'view') n from events where {WINDOW} group by video order by n desc limit 5",
    ),
}


def timed(ask):
    times = []
    for _ in range(RUNS):
        began = time.perf_counter()
        answer = ask()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times[1:]), answer


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--events", type=int, default=2_000_000)
    arguments.add_argument("--binary", default="target/release/throng")
    options = arguments.parse_args()
    binary = str(pathlib.Path(options.binary).resolve())
    with tempfile.TemporaryDirectory() as scratch:
        parquet, data, table = f"{scratch}/events.parquet", f"{scratch}/data", f"{scratch}/events.duckdb"
        n = options.events
        make = EVENTS.format(start=START_MS, day=DAY_MS, n=n, viewers=max(n // 20, 1000), creators=max(n // 2000, 100))
        duckdb.connect().execute(f"copy ({make}) to '{parquet}' (format parquet)")
        began = time.perf_counter()
        subprocess.run([binary, "--data", data, "--json", "import", "--seal", parquet], check=True, stdout=subprocess.PIPE)
        throng_load = time.perf_counter() - began
        began = time.perf_counter()
        peer = duckdb.connect(table)
        peer.execute(f"create table events as select *, (epoch_ms(ts))::date as day from '{parquet}' order by creator, ts")
        peer.execute("checkpoint")
        peer_load = time.perf_counter() - began
        size = lambda path: sum(f.stat().st_size for f in pathlib.Path(path).rglob("*") if f.is_file())
        print(f"{n} events   throng   duckdb {duckdb.__version__}   duckdb / throng")
        print(f"load, s      {throng_load:9.1f} {peer_load:9.1f} {peer_load / throng_load:9.2f}")
        throng_bytes, peer_bytes = size(data) / n, os.path.getsize(table) / n
        print(f"bytes/event  {throng_bytes:9.1f} {peer_bytes:9.1f} {peer_bytes / throng_bytes:9.2f}")
        key = subprocess.run([binary, "--data", data, "--json", "key", "create", "--role", "operator"], check=True, stdout=subprocess.PIPE)
        token = json.loads(key.stdout)["token"]
        environment = {**os.environ, "THRONG_PRIVACY_AUDIENCE_MIN": "10"}
        serve = [binary, "--data", data, "serve", "--listen", "127.0.0.1:0"]
        server = subprocess.Popen(serve, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment)
        try:
            url = next(found.group(0) for line in server.stdout if (found := re.search(r"http://\S+/graphql", line)))
            for creator in ("c0", "c10"):
                for name, (fields, read, sql) in QUESTIONS.items():
                    body = json.dumps({"query": f'{{ creator(id: "{creator}") {{ {fields} }} }}'}).encode()
                    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
                    ask = lambda: json.load(urllib.request.urlopen(urllib.request.Request(url, body, headers)))
                    throng_ms, answer = timed(ask)
                    peer_ms, rows = timed(lambda: peer.execute(sql, [creator]).fetchall())
                    found = [tuple(row) for row in read(answer["data"]["creator"])]
                    assert found == rows, f"{name} of {creator}: {found[:3]} is not {rows[:3]}"
                    print(f"{creator:4} {name:14} {throng_ms:9.2f} {peer_ms:9.2f} ms {peer_ms / throng_ms:7.1f} ×")
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
