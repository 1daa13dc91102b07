// Throng as a subgraph: composed with another one, and asked as a router asks.
import assert from "node:assert/strict";
import { test } from "node:test";
import { composeServices } from "@apollo/composition";
import { parse } from "graphql";
import { ask, creator, url } from "./server.mjs";

const { sdl } = (await ask("{ _service { sdl } }"))._service;

test("the schema on request is the one that a router gets", async () => {
  const page = await fetch(new URL("/schema.graphql?federation", url));
  assert.equal(await page.text(), sdl);
});

test("it composes with a subgraph that extends channels and videos", () => {
  const other = `
    extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@key", "@shareable"])
    type Query { featured: [Creator!]! }
    type Creator @key(fields: "id") { id: ID! colour: String }
    type Video @key(fields: "id") { id: ID! thumbnail: String }
    type PageInfo @shareable { hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String endCursor: String }`;
  const subgraphs = Object.entries({ throng: sdl, other }).map(([name, text]) => ({ name, url: `http://${name}.test`, typeDefs: parse(text) }));
  const { errors, supergraphSdl } = composeServices(subgraphs);
  assert.deepEqual((errors ?? []).map(({ message }) => message), []);
  assert.match(supergraphSdl, /type Creator[^{]*@join__type\(graph: THRONG, key: "id"\)/);
});

test("entities are found by their keys, and what may not be seen is null", async () => {
  const { node } = (await ask("query($id: ID!) { creator(id: $id) { videos(first: 1) { edges { node { id } } } } }", { id: creator })).creator.videos.edges[0];
  const representations = [
    { __typename: "Video", id: node.id },
    { __typename: "Creator", id: "nobody" },
    { __typename: "Creator", id: creator },
  ];
  const query = `query($representations: [_Any!]!) { _entities(representations: $representations) {
    __typename ... on Creator { id handle } ... on Video { id creator { id } } } }`;
  const [video, nobody, channel] = (await ask(query, { representations }))._entities;
  assert.deepEqual(video, { __typename: "Video", id: node.id, creator: { id: creator } });
  assert.equal(nobody, null);
  assert.deepEqual([channel.__typename, channel.id], ["Creator", creator]);
});
