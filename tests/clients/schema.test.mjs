// The schema as graphql-js sees it: the committed file, and what the server tells of itself.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { buildClientSchema, buildSchema, getIntrospectionQuery, printSchema, validateSchema } from "graphql";
import { lexicographicSortSchema } from "graphql";
import { headers, url } from "./server.mjs";

const committed = buildSchema(readFileSync(new URL("../../schema/schema.graphql", import.meta.url), "utf8"));

test("the committed schema is valid", () => assert.deepEqual(validateSchema(committed), []));

test("introspection tells the committed schema", async () => {
  const answer = await fetch(url, {
    method: "POST",
    headers: { ...headers, "content-type": "application/json" },
    body: JSON.stringify({ query: getIntrospectionQuery({ specifiedByUrl: true }) }),
  });
  const told = buildClientSchema((await answer.json()).data);
  // Directives on fields are not introspected.
  assert.equal(printSchema(lexicographicSortSchema(told)), printSchema(lexicographicSortSchema(committed)));
});
