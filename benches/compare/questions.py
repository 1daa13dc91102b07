"""The questions: what Throng is asked, how its answer reads, and the same in SQL for both peers.

An answer is a dictionary from a cell to its number. The SQL answers with rows of the cell's parts and the number last, or,
with `columns`, with one row per key and a number per column. Words that the two dialects spell differently stand in braces.
A question is about a channel unless it says so: the platform has questions of its own, the overlap is of two channels.
"""

import dataclasses
import datetime
from typing import Callable

from world import BESIDE

FIRST, LAST = datetime.date(2026, 3, 2), datetime.date(2026, 3, 29)  # four weeks, Monday to Sunday
DAYS = [FIRST + datetime.timedelta(days=n) for n in range(28)]
FLOOR = 10  # the least that Throng's policy can be set to

RANGE = f'range: {{from: "{FIRST}", to: "{LAST}"}}'
WINDOW = f'window: {{kind: LAST_28_DAYS, date: "{LAST}"}}'
AUDIENCE = f"audience({WINDOW})"
ANYWHERE = f"ts >= '{FIRST} 00:00:00' and ts < '{LAST + datetime.timedelta(days=1)} 00:00:00'"
EVENTS = f"creator = '{{creator}}' and {ANYWHERE}"
VIEWS = f"{EVENTS} and kind = 'view'"

COUNTERS = {
    "impressions": "count(*) filter (where kind = 'impression')",
    "views": "count(*) filter (where kind = 'view')",
    "likes": "count(*) filter (where kind = 'like') - count(*) filter (where kind = 'unlike')",
    "comments": "count(*) filter (where kind = 'comment')",
    "shares": "count(*) filter (where kind = 'share')",
    "saves": "count(*) filter (where kind = 'save') - count(*) filter (where kind = 'unsave')",
    "followsGained": "count(*) filter (where kind = 'follow')",
    "profileViews": "count(*) filter (where kind = 'profile_view')",
    "watchTime": "sum(watch_ms)",
}


def any_small(cells):
    return any(0 < n < FLOOR for n in cells.values())


@dataclasses.dataclass
class Question:
    name: str
    fields: str
    read: Callable[[dict], dict]
    sql: str
    columns: tuple = ()
    after: Callable[[dict], dict] = lambda cells: cells
    small: Callable[[dict], bool] = any_small
    parts: tuple = ()
    about: str = "creator"

    def document(self, creator):
        """What Throng is asked, with its variables."""
        match self.about:
            case "creator":
                return f"query($id: ID!) {{ creator(id: $id) {{ {self.fields} }} }}", {"id": creator}
            case "overlap":
                asked = f"overlap(creators: [$id, $other], {WINDOW}) {{ {self.fields} }}"
                return f"query($id: ID!, $other: ID!) {{ {asked} }}", {"id": creator, "other": BESIDE[creator]}
            case "platform":
                return f"{{ platform {{ {self.fields} }} }}", {}
            case "trending":
                return f'{{ trending(kind: HASHTAG, date: "{LAST}", first: 10) {{ {self.fields} }} }}', {}

    def statements(self):
        return [part.sql for part in self.parts] or [self.sql]

    def cells(self, results):
        """The peers' rows, a list per statement, as cells."""
        if self.parts:
            found = zip(self.parts, results)
            return {(part.name, *key): n for part, rows in found for key, n in part.cells([rows]).items()}
        (rows,) = results
        if self.columns:
            width = len(self.columns)
            cells = {(*row[:-width], name): n for row in rows for name, n in zip(self.columns, row[-width:])}
        else:
            cells = {tuple(row[:-1]): row[-1] for row in rows}
        return self.after({tuple(str(part) for part in key): int(n or 0) for key, n in cells.items()})


def measure(found):
    return None if found["value"] is None else round(found["value"])


def read_totals(creator):
    found = {(name,): measure(value) for name, value in creator["counters"].items()}
    exact = creator["counters"]["watchTime"]["value"]
    return found | {("watchTime",): None if exact is None else round(exact * 1000)}


def read_days(creator):
    found = {(step["date"], "views"): measure(step["counters"]["views"]) for step in creator["series"]}
    reaches = (day["reach"] for day in creator["audiences"])
    return found | {(str(day), "viewers"): measure(reach) for day, reach in zip(DAYS, reaches, strict=True)}


def read_rows(creator):
    return {(row["key"],): measure(row["measure"]) for row in creator["audience"]["breakdown"]["rows"]}


def read_age_gender(creator):
    age = lambda word: word.lower() if word == "UNKNOWN" else word[4:].replace("_PLUS", "+").replace("_", "-")
    rows = creator["audience"]["ageGender"]
    return {(age(row["age"]), row["gender"].lower()): measure(row["measure"]) for row in rows}


def read_hours(creator):
    return {(str(n // 24), str(n % 24)): measure(row["measure"]) for n, row in enumerate(creator["audience"]["activeHours"])}


def read_retention(creator):
    return {(str(point["position"]),): measure(point["measure"]) for point in creator["audience"]["retention"]}


def read_trending(trends):
    """By hashtag: views on its peak, views of the week before (a floor of it at least), channels, and how long ago that was."""
    found = {}
    for trend in trends:
        numbers = {"views": measure(trend["views"]), "before": round(trend["expected"] * 7), "creators": trend["creators"]}
        numbers["ago"] = (LAST - datetime.date.fromisoformat(trend["peak"])).days
        found |= {(trend["hashtag"]["name"], name): n for name, n in numbers.items()}
    return found


def curve(cells):
    """From viewers by their furthest position to viewers who came at least as far."""
    reached, left = {}, 0
    for position in range(100, 0, -1):
        left += cells.get((str(position),), 0)
        reached[str(position),] = left
    return reached


def any_step_small(cells):
    """A curve hides a step of nobody like a step of few."""
    points = [cells[str(position),] for position in range(1, 101)]
    return any(ahead - further < FLOOR for ahead, further in zip(points, points[1:]))


def by_trait(name, trait):
    fields = f"{AUDIENCE} {{ breakdown(by: {trait}, first: 100) {{ rows {{ key measure {{ value }} }} }} }}"
    last = f"select {{arg_max}}({name}, ts) as last from events where {VIEWS} group by viewer"
    return Question(name, fields, read_rows, f"select last, count(*) from ({last}) group by last")


def of_platform(question):
    """The same question about all channels together."""
    return dataclasses.replace(question, about="platform", sql=question.sql.replace(EVENTS, ANYWHERE))


def dashboard(*parts):
    """Several questions as one: Throng gets one request, the peers one statement after the other."""
    read = lambda creator: {(part.name, *key): n for part in parts for key, n in part.read(creator).items()}
    # Each part is judged where it is asked alone.
    small = lambda cells: True
    return Question("dashboard", " ".join(part.fields for part in parts), read, "", small=small, parts=parts)


TOTALS = Question(
    "totals",
    f"counters({RANGE}) {{ " + " ".join(f"{name} {{ value }}" for name in COUNTERS) + " }",
    read_totals,
    f"select {', '.join(COUNTERS.values())} from events where {EVENTS}",
    tuple(COUNTERS),
)
DAILY = Question(
    "daily series",
    f"series({RANGE}, granularity: DAY) {{ date counters {{ views {{ value }} }} }} "
    f"audiences(kind: DAY, {RANGE}) {{ reach {{ value }} }}",
    read_days,
    f"select ts::date as day, count(*), count(distinct viewer) from events where {VIEWS} group by day",
    ("views", "viewers"),
)
REACH = Question(
    "reach",
    f"{AUDIENCE} {{ reach {{ value }} }}",
    lambda creator: {("reach",): measure(creator["audience"]["reach"])},
    f"select 'reach', count(distinct viewer) from events where {VIEWS}",
)
AGE_GENDER = Question(
    "age × gender",
    f"{AUDIENCE} {{ ageGender {{ age gender measure {{ value }} }} }}",
    read_age_gender,
    "select age, gender, count(*) from (select {arg_max}(age, ts) as age, {arg_max}(gender, ts) as gender from events"
    f" where {VIEWS} group by viewer) group by age, gender",
)
SOURCE = Question(
    "source",
    by_trait("source", "TRAFFIC_SOURCE").fields,
    read_rows,
    f"select source, count(distinct viewer) from events where {VIEWS} group by source",
)
TOP = Question(
    "top videos",
    f"topVideos({RANGE}, by: VIEWS, first: 10) {{ video {{ id }} value {{ value }} }}",
    lambda creator: {(row["video"]["id"],): measure(row["value"]) for row in creator["topVideos"]},
    f"select video, count(*) as n from events where {VIEWS} group by video order by n desc, video limit 10",
)
RETENTION = Question(
    "retention",
    f"{AUDIENCE} {{ retention {{ position measure {{ value }} }} }}",
    read_retention,
    "select furthest, count(*) from (select max(least(100, {div}(watch_ms * 100, duration_ms))) as furthest from events"
    " join (select video, duration_ms from videos where creator = '{creator}' and duration_ms > 0) as known using (video)"
    f" where {VIEWS} group by viewer) group by furthest",
    after=curve,
    small=any_step_small,
)
HEAT_MAP = Question(
    "heat map",
    f"{AUDIENCE} {{ activeHours {{ measure {{ value }} }} }}",
    read_hours,
    f"select {{weekday}}(ts) - 1 as d, {{hour}}(ts) as h, count(distinct viewer) from events where {VIEWS} group by d, h",
)
# A viewer is new without a view in the 365 days before its first one in the window.
YEAR_BEFORE = VIEWS.replace(f"ts >= '{FIRST}", f"ts >= '{FIRST - datetime.timedelta(days=365)}")
NEW = Question(
    "new viewers",
    f"{AUDIENCE} {{ newViewers {{ value }} returningViewers {{ value }} }}",
    lambda creator: {(name,): measure(creator["audience"][f"{name}Viewers"]) for name in ("new", "returning")},
    "select 'all', count(*) filter (where since > 365), count(*) filter (where since <= 365) from (select"
    f" min(ts::date) filter (where ts >= '{FIRST} 00:00:00')"
    f" - coalesce(max(ts::date) filter (where ts < '{FIRST} 00:00:00'), '1970-01-01'::date) as since"
    f" from events where {YEAR_BEFORE} group by viewer having max(ts) >= '{FIRST} 00:00:00')",
    ("new", "returning"),
    after=lambda cells: {key[-1:]: n for key, n in cells.items()},
)
# Viewers of the one channel who are viewers of the other too.
OVERLAP = Question(
    "overlap",
    "reach { value }",
    lambda overlap: {("overlap",): measure(overlap["reach"])},
    f"select 'overlap', count(distinct viewer) from events where {VIEWS}"
    f" and viewer in (select viewer from events where {VIEWS.replace('{creator}', '{other}')})",
    about="overlap",
)
PLATFORM_DAILY = of_platform(DAILY)
PLATFORM_TOTALS = of_platform(TOTALS)
PLATFORM_REACH = of_platform(REACH)
COUNTRY = by_trait("country", "COUNTRY")

# Days are numbered 1 to 14. The peers judge by views alone, which is less work than by viewers too, and here the same: who comes
# to ten views comes to ten viewers.
FORTNIGHT = ANYWHERE.replace(str(FIRST), str(LAST - datetime.timedelta(days=13)))
TRENDING = Question(
    "trending hashtags",
    "hashtag { name } views { value } expected creators peak",
    read_trending,
    "with seen as (select video, ts::date - '" + str(LAST - datetime.timedelta(days=14)) + "'::date as d, count(*) as n from events"
    f" where {FORTNIGHT} and kind = 'view' group by video, d),"
    f" daily as (select tag, d, sum(n) as views from seen join tags using (video) group by tag, d having sum(n) >= {FLOOR}),"
    " held as (select tag, d, views, sum(views) over (partition by tag order by d range between 7 preceding and 1 preceding) as sum7"
    f" from daily), risen as (select tag, 14 - d as ago, views, greatest(coalesce(sum7, 0), {7 * FLOOR}) as before from held"
    " where d > 7),"
    " scored as (select *, (views - before / 7.0) * (views - before / 7.0) / (before / 7.0) / power(2, ago) as score from risen"
    " where views * 7 > before),"
    " best as (select *, row_number() over (partition by tag order by score desc, ago) as place from scored),"
    " wide as (select tag, count(distinct creator) as creators from tags group by tag)"
    " select tag, views, before, creators, ago from best join wide using (tag) where place = 1 and creators >= 2"
    " order by score desc, tag limit 10",
    ("views", "before", "creators", "ago"),
    small=lambda cells: False,
    about="trending",
)

DASHBOARD = dashboard(TOTALS, DAILY, REACH, COUNTRY, RETENTION, TOP)

QUESTIONS = [TOTALS, DAILY, REACH, AGE_GENDER, COUNTRY, SOURCE, by_trait("device", "DEVICE"), TOP, RETENTION, HEAT_MAP, NEW, OVERLAP, DASHBOARD]
OF_PLATFORM = [PLATFORM_TOTALS, PLATFORM_DAILY, PLATFORM_REACH, TRENDING]
