"""Compares every public counter of every video, per video and per day, and of every channel per day, with what DuckDB
counts from the same files. Run by the integration tests with the lowest floor, 10.

Usage: check_duckdb.py GRAPHQL_URL TOKEN EVENTS VIDEOS   (NDJSON, plain or gzip)

A single cell is withheld exactly if fewer than 10 viewers stand behind it. In a table (a series) more may be withheld so
that nothing follows from the total; what is shown must be right, and what has fewer than 10 viewers must not be shown.
"""
import json
import sys
import urllib.request

import duckdb

URL, TOKEN, EVENTS, VIDEOS = sys.argv[1:5]
FLOOR = 10
BATCH = 40
METRICS = {
    "impressions": "count(*) filter (kind = 'impression')",
    "views": "count(*) filter (kind = 'view')",
    "likes": "count(*) filter (kind = 'like') - count(*) filter (kind = 'unlike')",
    "likesGross": "count(*) filter (kind = 'like')",
    "comments": "count(*) filter (kind = 'comment')",
    "shares": "count(*) filter (kind = 'share')",
    "saves": "count(*) filter (kind = 'save') - count(*) filter (kind = 'unsave')",
    "savesGross": "count(*) filter (kind = 'save')",
    "followsGained": "count(*) filter (kind = 'follow')",
    "followsLost": "count(*) filter (kind = 'unfollow')",
    "profileViews": "count(*) filter (kind = 'profile_view')",
    "watchTime": "coalesce(sum(watch_ms) filter (kind = 'view'), 0) / 1000",
    "averageWatchTime": "sum(watch_ms) filter (kind = 'view') / 1000 / nullif(count(*) filter (kind = 'view'), 0)",
    "completionRate": "count(*) filter (kind = 'view' and watch_ms * 100 >= duration_ms * 97)"
                      " / nullif(count(*) filter (kind = 'view' and duration_ms > 0), 0)",
    "engagementRate": "(count(*) filter (kind in ('like', 'comment', 'share')) - count(*) filter (kind = 'unlike'))"
                      " / nullif(count(*) filter (kind = 'view'), 0)",
}
FIELDS = " ".join(f"{name} {{ value disclosure }}" for name in METRICS)


def load():
    db = duckdb.connect()
    db.execute("set timezone = 'UTC'")
    columns = {"event_id": "varchar", "ts": "bigint", "kind": "varchar", "viewer": "varchar", "video": "varchar",
               "creator": "varchar", "watch_ms": "bigint"}
    db.execute(f"create table raw as from read_json('{EVENTS}', format = 'newline_delimited', columns = {columns})")
    columns = {"video": "varchar", "creator": "varchar", "duration_ms": "bigint", "time_zone": "varchar"}
    db.execute(f"create table catalogue as from read_json('{VIDEOS}', format = 'newline_delimited', columns = {columns})")
    db.execute("""
        create table events as
        select raw.*, length.duration_ms,
               cast(timezone(coalesce(zone.time_zone, 'UTC'), make_timestamptz(ts * 1000)) as date) as day
        from raw
        left join (from catalogue where video is not null) length using (video)
        left join (from catalogue where video is null) zone on zone.creator = raw.creator
    """)
    return db


def counted(db, *keys):
    """Every counter and the number of distinct viewers, by these columns."""
    sums = ", ".join(f"{sql} as {name}" for name, sql in METRICS.items())
    rows = db.execute(f"select {', '.join(keys)}, count(distinct viewer) as viewers, {sums} from events"
                      f" where {keys[0]} is not null group by all").fetchall()
    names = ["viewers", *METRICS]
    return {tuple(str(value) for value in row[:len(keys)]): dict(zip(names, row[len(keys):])) for row in rows}


def ask(query):
    body = json.dumps({"query": query}).encode()
    headers = {"Content-Type": "application/json", "Accept": "application/graphql-response+json",
               "Authorization": f"Bearer {TOKEN}"}
    with urllib.request.urlopen(urllib.request.Request(URL, body, headers)) as response:
        answer = json.load(response)
    if "errors" in answer:
        sys.exit(f"refused: {answer['errors'][:3]}")
    return answer["data"]


def asked(entity, ids, selection):
    """The selection for each id, many in one query."""
    for start in range(0, len(ids), BATCH):
        part = ids[start:start + BATCH]
        fields = " ".join(f"n{at}: {entity}(id: {json.dumps(id)}) {{ {selection} }}" for at, id in enumerate(part))
        data = ask(f"{{ {fields} }}")
        for at, id in enumerate(part):
            yield id, data[f"n{at}"]


class Check:
    def __init__(self):
        self.shown = self.withheld = self.complementary = 0
        self.wrong = []

    def cell(self, where, counters, truth, in_table):
        viewers = truth["viewers"] if truth else 0
        for name in METRICS:
            measure = counters[name]
            value, disclosure = measure["value"], measure["disclosure"]
            if disclosure == "WITHHELD":
                self.withheld += 1
                if value is not None or (viewers >= FLOOR and not in_table):
                    self.wrong.append(f"{where} {name}: withheld with {viewers} viewers")
                self.complementary += viewers >= FLOOR
                continue
            self.shown += 1
            expected = truth[name] if truth else None
            if viewers < FLOOR:
                self.wrong.append(f"{where} {name}: shown with {viewers} viewers")
            elif disclosure == "NOT_APPLICABLE":
                if value is not None or expected is not None:
                    self.wrong.append(f"{where} {name}: not applicable, but {expected}")
            elif disclosure != "EXACT" or expected is None or abs(value - float(expected)) > 1e-9 * max(1, abs(value)):
                self.wrong.append(f"{where} {name}: {value} {disclosure}, but {expected}")


def main():
    db = load()
    first, last = (str(day) for day in db.execute("select min(day), max(day) from events").fetchone())
    window = f'range: {{from: "{first}", to: "{last}"}}'
    check = Check()
    for entity in ("video", "creator"):
        totals, days = counted(db, entity), counted(db, entity, "day")
        ids = sorted(id for (id,) in totals)
        for id, node in asked(entity, ids, f"counters({window}) {{ {FIELDS} }}"):
            check.cell(f"{entity} {id}", node["counters"], totals[(id,)], in_table=False)
        # One request's cost has a bound, so series are asked for one entity at a time; those too small to show any are few
        # words here: nothing of them may be shown, and a hundred of them are checked.
        large = [id for id in ids if totals[(id,)]["viewers"] >= FLOOR]
        small = [id for id in ids if totals[(id,)]["viewers"] < FLOOR][:100]
        for id in large + small:
            selection = f"series({window}, granularity: DAY) {{ date counters {{ {FIELDS} }} }}"
            ((_, node),) = asked(entity, [id], selection)
            dates = [step["date"] for step in node["series"]]
            if dates != sorted(set(dates)) or dates[0] != first or dates[-1] != last:
                check.wrong.append(f"{entity} {id}: the series has days {dates}")
            for step in node["series"]:
                truth = days.get((id, step["date"]))
                check.cell(f"{entity} {id} {step['date']}", step["counters"], truth, in_table=True)
        print(f"{entity}: {len(ids)} totals, {len(large)} daily series above the floor, {len(small)} below")
    print(f"{check.shown} numbers agree; {check.withheld} are withheld, {check.complementary} of them for their table's sake")
    if check.wrong:
        sys.exit(f"{len(check.wrong)} WRONG, first:\n" + "\n".join(check.wrong[:20]))
    if check.shown < 1_000:
        sys.exit(f"only {check.shown} numbers were compared: this checks nothing")


main()
