// The playground: every sample query works on the demo, nothing is asked of anyone else, and no policy is broken.
import assert from "node:assert/strict";
import { test } from "node:test";
import { base, creator, jwt, token, withPage } from "./browser.mjs";

const SAMPLES = ["Dashboard", "Audience", "Video", "Hashtag", "Creators", "Privacy", "Status"];

async function open(page, fragment = "") {
  const introspected = page.waitForResponse((response) => response.request().postDataJSON()?.operationName === "IntrospectionQuery");
  await page.goto(`${base}/playground${fragment}`);
  assert.ok((await (await introspected).json()).data.__schema);
  await page.waitForSelector(".graphiql-execute-button");
}

/** Runs what the open tab holds; its operation's name and answer. */
async function run(page) {
  const answered = page.waitForResponse(
    (response) => response.url().endsWith("/graphql") && response.request().postDataJSON().operationName !== "IntrospectionQuery",
  );
  await page.locator(".graphiql-execute-button").click();
  const response = await answered;
  return { name: response.request().postDataJSON().operationName, answer: await response.json() };
}

/** Opens a tab; GraphiQL fills the editor of the query first and that of the variables a moment later. */
async function show(page, name) {
  await page.locator(".graphiql-tab button").filter({ hasText: name }).first().click();
  const begins = (name) => new RegExp(`query\\s+${name}\\b`).test(document.querySelector(".graphiql-query-editor").textContent);
  await page.waitForFunction(begins, name);
  await page.waitForTimeout(500);
}

test("every sample query is answered on the demo", async () => {
  await withPage(async (page, seen) => {
    await open(page, `#token=${token}&creator=${creator}`);
    assert.equal(page.url(), `${base}/playground`, "the token does not stay in the address");
    for (const sample of SAMPLES) {
      await show(page, sample);
      const { name, answer } = await run(page);
      assert.equal(name, sample);
      assert.equal(answer.errors, undefined, `${sample}: ${JSON.stringify(answer.errors)}`);
      const root = Object.values(answer.data)[0];
      // The reader puts a video's id in.
      if (sample !== "Video") assert.ok(root, sample);
      assert.equal(await page.locator(".graphiql-query-editor .squiggly-error").count(), 0, sample);
    }
    assert.deepEqual(seen, []);
  });
});

test("without a token only what is open to all is answered", async () => {
  await withPage(async (page, seen) => {
    await open(page);
    await show(page, "Privacy");
    assert.ok((await run(page)).answer.data.privacy);
    await show(page, "Creators");
    const { answer } = await run(page);
    assert.equal(answer.errors[0].extensions.code, "UNAUTHENTICATED");
    for (const bearer of [token, jwt]) {
      await page.fill("#token", bearer);
      await page.getByRole("button", { name: "Use" }).click();
      await page.locator("header p").filter({ hasText: "Sent with each request" }).waitFor();
      assert.equal((await run(page)).answer.data.creators.edges.length, 1);
      await page.getByRole("button", { name: "Forget" }).click();
      await page.locator("header p").filter({ hasText: "No token" }).waitFor();
    }
    assert.deepEqual(seen.filter((line) => !line.includes("/graphql")), []);
  });
});

test("the schema is there to explore and completes what is typed", async () => {
  await withPage(async (page, seen) => {
    await open(page, `#token=${token}&creator=${creator}`);
    await page.getByRole("button", { name: /Documentation Explorer/i }).first().click();
    await page.locator(".graphiql-doc-explorer a").filter({ hasText: /^Query$/ }).first().click();
    await page.locator(".graphiql-doc-explorer").filter({ hasText: "creator" }).waitFor();
    await page.getByRole("button", { name: /New tab/i }).first().click();
    await page.locator(".graphiql-query-editor .monaco-editor").first().click();
    await page.keyboard.press("Control+A");
    await page.keyboard.type("{ priv", { delay: 30 });
    await page.locator(".suggest-widget .monaco-list-row").filter({ hasText: "privacy" }).first().waitFor();
    assert.deepEqual(seen, []);
  });
});
