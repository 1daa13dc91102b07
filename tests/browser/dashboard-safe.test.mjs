// What must never happen on the dashboard: a number where there is none, a fault of the server that leaves the reader alone, and
// a view that somebody cannot use.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";
import { base, creator, operator, partners, token, withPage } from "./browser.mjs";
import { ask, open, readable, settled, undisclosed, VIEWS, visit } from "./dashboard.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const PHONE = { width: 390, height: 844 };

/** Addresses of every view; a video's needs one. */
async function addresses() {
  const { creator: channel } = await ask(`query ($id: ID!) { creator(id: $id) { topVideos(range: {last: 28}, by: VIEWS, first: 1) { video { id } } } }`, { id: creator });
  return [...VIEWS.map((view) => `?view=${view}`), `?view=video&video=${channel.topVideos[0].video.id}`];
}

// Numbers that no answer of the demo comes near, in every way in which the page would write them.
const POISON = { value: 987_654_321, marginOfError: 987_654, previous: 987_654_321, change: 98_765.4321 };
const POISON_SHARE = 9.8765;
const POISONED = /987,?654|98,?765|988M|988K|274,?348|274K|9\.8765|987\.7|9,?876,?543/;

/** Takes measures away as a server would, but leaves a number where it would leave none. `which` says of the n-th whether. */
function withhold(node, which, disclosure, count = { measures: 0 }) {
  if (Array.isArray(node)) for (const item of node) withhold(item, which, disclosure, count);
  if (node === null || typeof node !== "object" || Array.isArray(node)) return;
  for (const value of Object.values(node)) withhold(value, which, disclosure, count);
  if (typeof node.disclosure === "string" && which(count.measures++)) Object.assign(node, POISON, { disclosure });
  const { measure } = node;
  if (measure?.disclosure === disclosure && "share" in node) node.share = POISON_SHARE;
}

async function poisoned(page, which, disclosure) {
  await page.route("**/graphql", async (route) => {
    const response = await route.fetch();
    const body = await response.json();
    withhold(body.data, which, disclosure);
    await route.fulfill({ response, json: body });
  });
}

for (const [how, which, disclosure] of [
  ["all", () => true, "WITHHELD"],
  ["all, as not applicable", () => true, "NOT_APPLICABLE"],
  ["every other", (n) => n % 2 === 0, "WITHHELD"],
  ["all but every third", (n) => n % 3 !== 0, "WITHHELD"],
])
  test(`no view shows a number for what is withheld: ${how}`, async () => {
    await withPage(async (page, seen) => {
      await poisoned(page, which, disclosure);
      for (const address of await addresses()) {
        await open(page, address);
        const clean = async (where) => {
          assert.deepEqual((await readable(page)).filter((text) => POISONED.test(text)), [], `${address} ${where}`);
          assert.deepEqual((await undisclosed(page)).filter((text) => /\p{Nd}/u.test(text)), [], `${address} ${where}`);
        };
        await clean("as it opens");
        for (const chart of await page.locator("svg.chart").all()) await chart.hover();
        await clean("under the pointer");
        for (const summary of await page.locator(".menu summary").all()) {
          await summary.click();
          const [file] = await Promise.all([page.waitForEvent("download"), page.locator(".menu[open] button", { hasText: "Download CSV" }).click()]);
          assert.doesNotMatch(readFileSync(await file.path(), "utf8"), POISONED, `${address} as CSV`);
        }
        for (const summary of await page.locator(".figure summary").all()) {
          if (!(await summary.evaluate((element) => element.parentElement.open))) await summary.click();
          await page.locator(".menu[open] button", { hasText: /^Show as table/ }).click();
        }
        await clean("as tables");
      }
      assert.deepEqual(seen, []);
    });
  });

for (const [colorScheme, viewport] of [["light", { width: 1440, height: 900 }], ["dark", { width: 1440, height: 900 }], ["light", PHONE], ["dark", PHONE]])
  test(`every view can be used by everyone: ${colorScheme}, ${viewport.width} px`, async () => {
    await withPage(async (page, seen) => {
      const check = async (address) => {
        await page.evaluate(axe);
        const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
        const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
        assert.deepEqual(serious.map(({ id, nodes }) => [id, nodes.slice(0, 3).map((node) => `${node.html.slice(0, 160)} ${node.any[0]?.message ?? ""}`)]), [], address);
        assert.equal(await page.evaluate(() => Math.max(0, document.documentElement.scrollWidth - innerWidth)), 0, `${address} is wider than the screen`);
      };
      await page.goto(base);
      await page.getByLabel("Token").waitFor();
      await check("the form");
      for (const address of [...(await addresses()), "?view=audience&window=DAY&date=2020-01-01"]) {
        await open(page, address);
        await check(address);
      }
      assert.deepEqual(seen, []);
    }, { colorScheme, viewport });
  });

test("a busy server is asked again when it says so", async () => {
  await withPage(async (page) => {
    let refusals = 1;
    await page.route("**/graphql", (route) =>
      refusals-- > 0
        ? route.fulfill({ status: 429, headers: { "Retry-After": "2" }, contentType: "application/graphql-response+json", body: JSON.stringify({ errors: [{ message: "too many", extensions: { code: "RATE_LIMITED" } }] }) })
        : route.continue());
    await page.goto(`${base}/#token=${token}`);
    await page.getByRole("heading", { name: "A short pause" }).waitFor();
    assert.match(await page.locator(".state p").textContent(), /in [12] s|now/);
    await settled(page);
    assert.equal(await page.getByRole("heading", { name: "A short pause" }).count(), 0);
  });
});

test("a token that is not known leads back to the form", async () => {
  await withPage(async (page) => {
    await page.goto(`${base}/#token=thr_000000000000_0000`);
    await page.getByRole("heading", { name: "This token is not known" }).waitFor();
    await page.getByRole("button", { name: "Use another token" }).click();
    await page.getByLabel("Token").waitFor();
  });
});

test("a server that is gone is asked again on demand", async () => {
  await withPage(async (page) => {
    await page.route("**/graphql", (route) => route.abort());
    await page.goto(`${base}/#token=${token}`);
    await page.getByRole("heading", { name: "The server does not answer" }).waitFor();
    await page.unroute("**/graphql");
    await page.getByRole("button", { name: "Try again" }).click();
    await settled(page);
  });
});

test("a channel or video that the token may not see looks as if there were none", async () => {
  await withPage(async (page, seen) => {
    for (const [address, heading] of [["?channel=c0001", "No such channel"], ["?view=audience&channel=absent", "No such channel"], ["?view=video&video=absent", "No such video"]]) {
      await open(page, address);
      await page.getByRole("heading", { name: heading }).waitFor();
    }
    assert.deepEqual(seen, []);
  });
});

test("whoever sees several channels chooses one", async () => {
  await withPage(async (page, seen) => {
    await open(page, "", operator);
    const picker = page.getByRole("combobox", { name: "Channel" });
    const names = await picker.locator("option").allTextContents();
    assert.ok(names.length > 10);
    await picker.selectOption(creator);
    await page.waitForFunction((id) => location.search.includes(`channel=${id}`), creator);
    await settled(page);
    const { creator: channel } = await ask("query ($id: ID!) { creator(id: $id) { handle } }", { id: creator });
    assert.ok((await page.locator(".sub").textContent()).startsWith(channel.handle));
    assert.deepEqual(seen, []);
  });
});

test("partners see what the channel granted, and that the rest is closed", async () => {
  const closed = { counters: "Counters are not open to this token", insights: "The audience is not open to this token" };
  await withPage(async (page, seen) => {
    for (const [granted, other] of [["counters", "insights"], ["insights", "counters"]])
      for (const address of ["", `?channel=${creator}`]) {
        await open(page, address, partners[granted]);
        // One tile for each counter, and one card of the audience.
        assert.equal((await page.locator(".tile").count()) > 0, granted === "counters", `${granted} ${address}`);
        assert.equal((await page.getByRole("heading", { name: "Audience", exact: true }).count()) > 0, granted === "insights", `${granted} ${address}`);
        assert.equal(await page.getByRole("heading", { name: closed.counters }).count(), other === "counters" ? 1 : 0);
        await visit(page, "Audience");
        assert.equal(await page.getByRole("heading", { name: closed.insights }).count(), other === "insights" ? 1 : 0);
        assert.equal((await page.locator(".numbers").count()) > 0, granted === "insights");
        await visit(page, "Content");
        assert.equal(await page.getByRole("heading", { name: closed.counters }).count(), other === "counters" ? 1 : 0);
      }
    assert.deepEqual(seen, []);
  });
});
