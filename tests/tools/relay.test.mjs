// Relay's compiler takes the schema for one of its own, and what it makes of fragments gets its answers.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { ask, creator } from "./server.mjs";

const path = (name) => fileURLToPath(new URL(name, import.meta.url));
mkdirSync(path("relay/__generated__"), { recursive: true });
const compiler = path("node_modules/relay-compiler/cli.js");
execFileSync(process.execPath, [compiler, "relay.config.json"], { cwd: path("relay"), encoding: "utf8" });
const compiled = async (name) => (await import(`./relay/__generated__/${name}.graphql.js`)).default.params.text;

test("a query with fragments", async () => {
  const { node, creators } = await ask(await compiled("ChannelQuery"), { id: creator });
  assert.equal(node.__typename, "Creator");
  assert.equal(node.videos.edges.length, 1);
  assert.ok("disclosure" in node.counters.views);
  assert.ok(creators.edges.some((edge) => edge.node.id === creator));
});

test("a fragment is refetched by its node", async () => {
  const { node } = await ask(await compiled("ChannelRefetchQuery"), { id: creator });
  assert.equal(node.id, creator);
});

test("pages follow each other", async () => {
  const text = await compiled("ChannelVideosQuery");
  const seen = [];
  for (let cursor = null, more = true; more; ) {
    const { videos } = (await ask(text, { id: creator, count: 1, cursor })).node;
    seen.push(...videos.edges.map((edge) => edge.node.id));
    ({ endCursor: cursor, hasNextPage: more } = videos.pageInfo);
  }
  assert.ok(seen.length > 1 && new Set(seen).size === seen.length, `${seen}`);
});
