// Prints a channel's dashboard: node dist/dashboard.js CREATOR, with THRONG_URL and THRONG_TOKEN set.
import { graphql } from "./gql/index.js";
import type { TypedDocumentString } from "./gql/graphql.js";

const DASHBOARD = graphql(`
  query Dashboard($id: ID!) {
    creator(id: $id) {
      id
      handle
      counters(range: { last: 28 }, compareTo: PREVIOUS_PERIOD) {
        range { from to }
        views { ...Number }
        likes { ...Number }
        shares { ...Number }
      }
      audience(window: { kind: LAST_28_DAYS }) {
        window { from to }
        reach { ...Number }
        breakdown(by: COUNTRY, first: 5) {
          rows { key measure { ...Number } }
          other { ...Number }
        }
      }
      topVideos(range: { last: 28 }, by: VIEWS, first: 3) {
        video { id title }
        value { ...Number }
      }
    }
  }
  fragment Number on Measure { value disclosure marginOfError change }
`);

const url = process.env.THRONG_URL ?? "http://127.0.0.1:8080/graphql";
const token = process.env.THRONG_TOKEN ?? "";

async function ask<Result, Variables>(document: TypedDocumentString<Result, Variables>, variables: Variables): Promise<Result> {
  const response = await fetch(url, {
    method: "POST",
    headers: {
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
      accept: "application/graphql-response+json, application/json",
    },
    body: JSON.stringify({ query: document.toString(), variables }),
  });
  const answer = (await response.json()) as { data: Result; errors?: { message: string; extensions?: { code?: string } }[] };
  const error = answer.errors?.[0];
  if (error) throw new Error(`${error.extensions?.code}: ${error.message}`);
  return answer.data;
}

type Shown = { value?: number | null; disclosure: string; marginOfError?: number | null; change?: number | null };

// No number is not 0: say why there is none.
function shown({ value, disclosure, marginOfError, change }: Shown): string {
  if (value == null) return disclosure.toLowerCase().replace("_", " ");
  const margin = marginOfError == null ? "" : ` ± ${Math.round(marginOfError)}`;
  const trend = change == null ? "" : ` (${change < 0 ? "" : "+"}${(change * 100).toFixed(1)} %)`;
  return `${Math.round(value)}${margin}${trend}`;
}

function line(name: string, measure: Shown): void {
  console.log(`  ${name.padEnd(16)}${shown(measure)}`);
}

const [id] = process.argv.slice(2);
if (!id) throw new Error("name a creator");
const { creator } = await ask(DASHBOARD, { id });
if (!creator) throw new Error("there is no such channel, or the token may not see it");

const { counters, audience } = creator;
console.log(`${creator.handle ?? creator.id}, ${counters.range.from} to ${counters.range.to}`);
line("views", counters.views);
line("likes", counters.likes);
line("shares", counters.shares);
console.log(`audience, ${audience.window.from} to ${audience.window.to}`);
line("reach", audience.reach);
for (const row of audience.breakdown.rows) line(row.key, row.measure);
line("elsewhere", audience.breakdown.other);
console.log("best videos");
for (const { video, value } of creator.topVideos) line(video.title ?? video.id, value);
