// Automatic persisted queries, as Apollo Client and urql send them.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { ApolloClient, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";
import { Client, fetchExchange } from "@urql/core";
import { persistedExchange } from "@urql/exchange-persisted";
import { headers, url } from "./server.mjs";

const sha256 = (text) => createHash("sha256").update(text).digest("hex");

// Remembers what was sent.
function recorder() {
  const sent = [];
  const send = async (target, options) => {
    sent.push(options.body ?? String(target));
    return fetch(target, options);
  };
  return { sent, send };
}

const carriesText = (request) => /privacy/.test(decodeURIComponent(request));

for (const useGETForHashedQueries of [false, true]) {
  test(`Apollo Client persists a query and then sends its hash${useGETForHashedQueries ? " by GET" : ""}`, async () => {
    const { sent, send } = recorder();
    const ask = async () => {
      const link = new PersistedQueryLink({ sha256, useGETForHashedQueries }).concat(new HttpLink({ uri: url, headers, fetch: send }));
      const client = new ApolloClient({ link, cache: new InMemoryCache() });
      const name = useGETForHashedQueries ? "ByGet" : "ByPost";
      const { data } = await client.query({ query: gql(`query Apollo${name} { privacy { audienceMin } }`) });
      assert.equal(data.privacy.audienceMin, 50);
    };
    await ask();
    assert.deepEqual(sent.map(carriesText), [false, true]);
    await ask();
    assert.deepEqual(sent.map(carriesText), [false, true, false]);
  });
}

test("urql persists a query and then sends its hash", async () => {
  const { sent, send } = recorder();
  const ask = async () => {
    const exchanges = [persistedExchange({ preferGetForPersistedQueries: false }), fetchExchange];
    const client = new Client({ url, exchanges, fetch: send, fetchOptions: { headers } });
    const { data, error } = await client.query("query Urql { privacy { audienceMin } }", {}).toPromise();
    assert.equal(error, undefined);
    assert.equal(data.privacy.audienceMin, 50);
  };
  await ask();
  await ask();
  assert.deepEqual(sent.map(carriesText), [false, true, false]);
});
