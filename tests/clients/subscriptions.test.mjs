// Subscriptions, as graphql-ws, graphql-sse and Apollo Client ask for them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ApolloClient, InMemoryCache, gql } from "@apollo/client";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { createClient as createEvents } from "graphql-sse";
import { CloseCode, createClient as createSocket } from "graphql-ws";
import WebSocket from "ws";
import { headers, url } from "./server.mjs";

const socketUrl = url.replace(/^http/, "ws");
const origin = new URL(url).origin;
const query = "subscription Live($video: ID!) { counters(video: $video) { views { value disclosure } } }";
const exactly = (value) => ({ counters: { views: { value, disclosure: "EXACT" } } });

// So many more viewers of a video, a moment ago.
let viewers = 0;
async function watch(video, count) {
  const view = () => ({
    event_id: `e${viewers}`, ts: Date.now(), kind: "view", viewer: `u${viewers++}`, creator: "c", video, watch_ms: 1000,
  });
  const body = Array.from({ length: count }, () => JSON.stringify(view()) + "\n").join("");
  const answer = await fetch(`${origin}/v1/events`, {
    method: "POST",
    headers: { ...headers, "content-type": "application/x-ndjson" },
    body,
  });
  assert.equal(answer.status, 200);
}

// The values of one subscription, the first of which makes the second.
async function follow(video, iterate) {
  await watch(video, 60);
  const values = [];
  for await (const { data, errors } of iterate({ query, variables: { video } })) {
    assert.equal(errors, undefined);
    values.push(data);
    if (values.length === 2) break;
    await watch(video, 10);
  }
  assert.deepEqual(values, [exactly(60), exactly(70)]);
}

const socket = (options = {}) =>
  createSocket({ url: socketUrl, webSocketImpl: WebSocket, connectionParams: headers, retryAttempts: 0, ...options });

test("graphql-ws follows a video", async () => {
  const client = socket();
  await follow("ws", (request) => client.iterate(request));
  await client.dispose();
});

test("graphql-ws asks queries too", async () => {
  const client = socket({ lazy: false });
  const answers = [];
  for await (const answer of client.iterate({ query: "{ privacy { audienceMin } }" })) answers.push(answer.data);
  assert.deepEqual(answers, [{ privacy: { audienceMin: 50 } }]);
  await client.dispose();
});

test("graphql-ws is told what is wrong with an operation", async () => {
  const client = socket();
  const failing = (request) => assert.rejects(async () => { for await (const _ of client.iterate(request)); });
  await failing({ query: "subscription { nothing }" });
  await failing({ query, variables: { video: "there is none" } });
  await client.dispose();
});

test("graphql-ws is told why its connection is closed", async () => {
  const closed = (options) => new Promise((resolve, reject) => {
    const on = { closed: (event) => resolve(event.code), connected: () => reject(new Error("connected")) };
    socket({ lazy: false, onNonLazyError: () => {}, on, ...options });
  });
  assert.equal(await closed({ connectionParams: { authorization: "Bearer thr_0_0" } }), CloseCode.Forbidden);
  class Silent extends WebSocket {
    send() {}
  }
  assert.equal(await closed({ webSocketImpl: Silent }), CloseCode.ConnectionInitialisationTimeout);
});

test("graphql-sse follows a video", async () => {
  const client = createEvents({ url, headers, retryAttempts: 0 });
  await follow("sse", (request) => client.iterate(request));
  client.dispose();
});

test("graphql-sse asks queries too, and is told what is wrong", async () => {
  const client = createEvents({ url, headers, retryAttempts: 0 });
  const only = async (request) => {
    const answers = [];
    for await (const answer of client.iterate(request)) answers.push(answer);
    assert.equal(answers.length, 1);
    return answers[0];
  };
  assert.equal((await only({ query: "{ privacy { audienceMin } }" })).data.privacy.audienceMin, 50);
  const { errors } = await only({ query, variables: { video: "there is none" } });
  assert.equal(errors[0].extensions.code, "NOT_FOUND");
  client.dispose();
});

test("Apollo Client follows a video over graphql-ws", async () => {
  await watch("apollo", 60);
  const link = socket();
  const client = new ApolloClient({ link: new GraphQLWsLink(link), cache: new InMemoryCache() });
  const values = [];
  await new Promise((resolve, reject) => {
    const following = client.subscribe({ query: gql(query), variables: { video: "apollo" } }).subscribe({
      next: ({ data, error }) => {
        if (error) return reject(error);
        values.push(data.counters.views.value);
        if (values.length === 1) return void watch("apollo", 10).catch(reject);
        following.unsubscribe();
        resolve();
      },
      error: reject,
    });
  });
  assert.deepEqual(values, [60, 70]);
  await link.dispose();
});
