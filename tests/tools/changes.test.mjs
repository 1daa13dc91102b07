// What changed in the schema since the last release. What breaks clients must stand in CHANGELOG.md, by name.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { CriticalityLevel, diff } from "@graphql-inspector/core";
import { buildSchema } from "graphql";

const read = (path) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const breaking = async (before, after) => {
  const changes = await diff(buildSchema(before), buildSchema(after));
  return changes.filter((change) => change.criticality.level === CriticalityLevel.Breaking);
};

test("every breaking change since the last release is in the changelog", async () => {
  const unreleased = read("CHANGELOG.md").split(/^## /m).find((part) => part.startsWith("Unreleased"));
  const unnamed = (await breaking(read("schema/baseline.graphql"), read("schema/schema.graphql"))).filter(
    ({ path }) => !unreleased.includes(`\`${path}\``),
  );
  const told = unnamed.map(({ path, message }) => `${path}: ${message}`).join("\n");
  assert.equal(unnamed.length, 0, `name these under "Unreleased", such as \`${unnamed[0]?.path}\`:\n${told}`);
});

test("a field that is taken away is noticed", async () => {
  const schema = read("schema/schema.graphql");
  const found = await breaking(schema, schema.replace(/^ {2}handle: String$/m, "  handle_: String"));
  assert.deepEqual(found.map(({ path }) => path), ["Creator.handle"]);
});
