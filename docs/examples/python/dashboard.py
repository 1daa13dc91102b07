"""Prints a channel's dashboard: python dashboard.py CREATOR, with THRONG_URL and THRONG_TOKEN set.

Needs nothing but Python 3.9.
"""

import json
import os
import sys
import urllib.error
import urllib.request

DASHBOARD = """
query Dashboard($id: ID!) {
  creator(id: $id) {
    id
    handle
    counters(range: {last: 28}, compareTo: PREVIOUS_PERIOD) {
      range { from to }
      views { ...Number } likes { ...Number } shares { ...Number }
    }
    audience(window: {kind: LAST_28_DAYS}) {
      window { from to }
      reach { ...Number }
      breakdown(by: COUNTRY, first: 5) { rows { key measure { ...Number } } other { ...Number } }
    }
    topVideos(range: {last: 28}, by: VIEWS, first: 3) { video { id title } value { ...Number } }
  }
}
fragment Number on Measure { value disclosure marginOfError change }
"""


def ask(query, variables):
    request = urllib.request.Request(
        os.environ.get("THRONG_URL", "http://127.0.0.1:8080/graphql"),
        data=json.dumps({"query": query, "variables": variables}).encode(),
        headers={
            "Authorization": "Bearer " + os.environ.get("THRONG_TOKEN", ""),
            "Content-Type": "application/json",
            "Accept": "application/graphql-response+json, application/json",
        },
    )
    try:
        with urllib.request.urlopen(request) as response:
            answer = json.load(response)
    except urllib.error.HTTPError as error:
        answer = json.load(error)
    if answer.get("errors"):
        error = answer["errors"][0]
        sys.exit(f"{error.get('extensions', {}).get('code')}: {error['message']}")
    return answer["data"]


def shown(measure):
    """No number is not 0: says why there is none."""
    if measure["value"] is None:
        return measure["disclosure"].lower().replace("_", " ")
    text = f"{measure['value']:.0f}"
    if measure["marginOfError"] is not None:
        text += f" ± {measure['marginOfError']:.0f}"
    if measure["change"] is not None:
        text += f" ({measure['change'] * 100:+.1f} %)"
    return text


def line(name, measure):
    print(f"  {name:16}{shown(measure)}")


def main():
    if len(sys.argv) != 2:
        sys.exit("name a creator")
    creator = ask(DASHBOARD, {"id": sys.argv[1]})["creator"]
    if creator is None:
        sys.exit("there is no such channel, or the token may not see it")
    counters, audience = creator["counters"], creator["audience"]
    print(f"{creator['handle'] or creator['id']}, {counters['range']['from']} to {counters['range']['to']}")
    for name in ("views", "likes", "shares"):
        line(name, counters[name])
    print(f"audience, {audience['window']['from']} to {audience['window']['to']}")
    line("reach", audience["reach"])
    for row in audience["breakdown"]["rows"]:
        line(row["key"], row["measure"])
    line("elsewhere", audience["breakdown"]["other"])
    print("best videos")
    for ranked in creator["topVideos"]:
        line(ranked["video"]["title"] or ranked["video"]["id"], ranked["value"])


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")
    main()
