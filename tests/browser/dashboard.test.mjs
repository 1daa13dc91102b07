// The dashboard: every view shows what the API says, to everyone who reads it, and asks nobody else.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { base, creator, jwt, token, withPage } from "./browser.mjs";
import { ask, ofChannel, open, questions, settled, share, tableOf, undisclosed, visit, written } from "./dashboard.mjs";

const DOCUMENTS = fileURLToPath(new URL("../../dashboard/documents/", import.meta.url));
const MEASURE = "value disclosure marginOfError";
const WINDOW = "audience(window: {kind: LAST_28_DAYS})";

test("a link signs in, and the token leaves the address", async () => {
  for (const bearer of [token, jwt])
    await withPage(async (page, seen) => {
      const asked = questions(page);
      await page.goto(`${base}/#token=${bearer}&creator=${creator}`);
      await settled(page);
      assert.equal(page.url(), `${base}/?channel=${creator}`);
      assert.equal(asked.length, 1);
      await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
      await page.getByRole("button", { name: "Sign out" }).click();
      await page.getByRole("textbox", { name: "Token" }).waitFor();
      assert.equal(await page.evaluate(() => sessionStorage.length), 0);
      assert.deepEqual(seen, []);
    });
});

test("the form signs in", async () => {
  await withPage(async (page, seen) => {
    await page.goto(base);
    await page.getByLabel("Token").fill("not a token");
    await page.getByRole("button", { name: "Open the dashboard" }).click();
    await page.getByText("A token has no spaces").waitFor();
    await page.getByLabel("Token").fill(` ${token}\n`);
    await page.getByRole("button", { name: "Open the dashboard" }).click();
    await settled(page);
    assert.deepEqual(seen, []);
  });
});

test("each view asks one question", async () => {
  await withPage(async (page, seen) => {
    const asked = questions(page);
    await open(page);
    for (const name of ["Audience", "Content", "Compare", "Privacy"]) {
      const before = asked.length;
      await visit(page, name);
      assert.equal(asked.length - before, 1, name);
    }
    await visit(page, "Content");
    const before = asked.length;
    await page.locator(".video-link").first().click();
    await page.getByRole("link", { name: "All videos" }).waitFor();
    await settled(page);
    assert.equal(asked.length - before, 1);
    // Servers that answer trusted documents only are given these files.
    const trusted = new Set(readdirSync(DOCUMENTS).map((name) => readFileSync(DOCUMENTS + name, "utf8")));
    assert.deepEqual(asked.filter(({ query }) => !trusted.has(query)), []);
    assert.deepEqual(seen, []);
  });
});

test("the overview shows the counters that the API gives", async () => {
  const counters = "views likes comments shares followsGained impressions profileViews".split(" ");
  const channel = await ofChannel(`handle sealedThrough counters(range: {last: 28}) { ${counters.map((name) => `${name} { ${MEASURE} }`).join(" ")} }
    ${WINDOW} { reach { ${MEASURE} } newViewers { ${MEASURE} } followers { ${MEASURE} } }
    topVideos(range: {last: 28}, by: VIEWS, first: 5) { value { ${MEASURE} } video { title } }
    series(range: {last: 28}, granularity: DAY) { counters { views { ${MEASURE} } } }`);
  await withPage(async (page, seen) => {
    await open(page);
    const rows = Object.fromEntries(await page.locator("table.rows tbody tr").evaluateAll((rows) => rows.map((row) => [row.children[0].textContent, row.children[1].textContent.trim()])));
    const shown = ["Views", "Likes", "Comments", "Shares", "New followers", "Impressions", "Profile visits"].map((label) => rows[label]);
    assert.deepEqual(shown, counters.map((name) => written(channel.counters[name])));
    assert.equal((await page.locator(".big").textContent()).replace("viewers reached", "").trim(), written(channel.audience.reach));
    const parts = await page.locator(".split dd .value, .split dd .missing").allTextContents();
    assert.equal(parts[0], written(channel.audience.newViewers));
    assert.equal(parts[2], written(channel.audience.followers));
    assert.deepEqual(await page.locator(".best-title").allTextContents(), channel.topVideos.map((ranked) => ranked.video.title));
    assert.deepEqual((await tableOf(page, "Views")).map((row) => row[1]), channel.series.map((step) => written(step.counters.views)));
    // Another counter is drawn without another question.
    const asked = questions(page);
    await page.locator(".tile", { hasText: "Likes" }).click();
    await page.getByRole("figure", { name: "Likes", exact: true }).waitFor();
    assert.equal(asked.length, 0);
    assert.ok(page.url().includes("metric=likes"));
    assert.deepEqual(seen, []);
  });
});

test("the audience shows every cell that the API gives, and withholds what it withholds", async () => {
  const rows = `{ rows { key share measure { ${MEASURE} } } other { ${MEASURE} } }`;
  const { audience } = await ofChannel(`${WINDOW} { ageGender { age gender share measure { ${MEASURE} } } activeHours { hour share measure { ${MEASURE} } }
    countries: breakdown(by: COUNTRY) ${rows} devices: breakdown(by: DEVICE) ${rows} sources: breakdown(by: TRAFFIC_SOURCE) ${rows} funnel { share measure { ${MEASURE} } } }`);
  const cells = (list) => list.map((cell) => [written(cell.measure), cell.measure.value === null ? "–" : share(cell.share)]);
  await withPage(async (page, seen) => {
    await open(page, "?view=audience");
    for (const [title, given, from] of [
      ["Age and gender", cells(audience.ageGender), 2],
      ["When they are active", cells(audience.activeHours), 2],
      ["Where they found it", cells(audience.sources.rows), 1],
      ["Devices", cells(audience.devices.rows), 1],
      ["How far they went", cells(audience.funnel), 1],
      ["Countries", [...cells(audience.countries.rows), [written(audience.countries.other), "–"]], 1],
    ])
      assert.deepEqual((await tableOf(page, title)).map((row) => row.slice(from)), given, title);
    assert.ok(audience.ageGender.some((cell) => cell.measure.disclosure === "WITHHELD"), "the demo has withheld cells");
    assert.deepEqual((await undisclosed(page)).filter((text) => /\p{Nd}/u.test(text)), []);
    assert.deepEqual(seen, []);
  });
});

test("videos are listed by any counter, and each has a page of its own", async () => {
  const fields = `video { id title counters(range: {last: 28}) { views { ${MEASURE} } comments { ${MEASURE} } } }`;
  const { topVideos, byComments } = await ofChannel(`topVideos(range: {last: 28}, by: VIEWS, first: 25) { ${fields} } byComments: topVideos(range: {last: 28}, by: COMMENTS, first: 25) { ${fields} }`);
  const listed = (page) => page.locator("table.videos tbody tr").evaluateAll((rows) => rows.map((row) => [row.querySelector(".best-title").textContent, row.children[1].textContent, row.children[5].textContent]));
  const expected = (ranked) => ranked.map(({ video }) => [video.title, written(video.counters.views), written(video.counters.comments)]);
  await withPage(async (page, seen) => {
    await open(page, "?view=content");
    assert.deepEqual(await listed(page), expected(topVideos));
    await page.getByRole("columnheader", { name: "Comments" }).getByRole("button").click();
    await page.locator('th[aria-sort="descending"]', { hasText: "Comments" }).waitFor();
    await settled(page);
    assert.deepEqual(await listed(page), expected(byComments));
    await page.locator(".video-link").first().click();
    await page.getByRole("heading", { level: 1, name: byComments[0].video.title }).waitFor();
    await settled(page);
    const { video } = await ask(`query ($id: ID!) { video(id: $id) { ${WINDOW} { reach { ${MEASURE} } retention { share measure { ${MEASURE} } } } } }`, { id: byComments[0].video.id });
    if (video.audience.reach.value !== null) {
      assert.equal(await page.locator(".numbers .big").first().textContent(), written(video.audience.reach));
      const curve = await tableOf(page, "How far they watched");
      assert.deepEqual(curve.map((row) => row.slice(1)), video.audience.retention.map((point) => [written(point.measure), share(point.share)]));
    }
    assert.deepEqual(seen, []);
  });
});

test("two periods are compared, and noise is not taken for a change", async () => {
  const { sealedThrough } = await ofChannel("sealedThrough");
  await withPage(async (page, seen) => {
    await open(page, "?view=compare&kind=LAST_7_DAYS");
    const asked = questions(page);
    await page.reload();
    await settled(page);
    const { variables } = asked.at(-1);
    assert.ok(variables.a.to <= sealedThrough && variables.b.to < variables.a.from);
    const { a, b } = await ofChannel(`a: audience(window: {kind: LAST_7_DAYS, date: "${variables.a.to}"}) { reach { ${MEASURE} } } b: audience(window: {kind: LAST_7_DAYS, date: "${variables.b.to}"}) { reach { ${MEASURE} } }`);
    const row = await page.locator("tr", { has: page.getByRole("rowheader", { name: "Reach", exact: true }) }).locator("td").allTextContents();
    assert.deepEqual(row.slice(0, 2), [written(a.reach), written(b.reach)]);
    if (a.reach.value !== null && b.reach.value !== null) {
      const certain = Math.abs(a.reach.value - b.reach.value) > Math.hypot(a.reach.marginOfError, b.reach.marginOfError);
      assert.equal(row[2] === "Same", !certain);
    }
    await page.getByRole("button", { name: "Earlier" }).last().click();
    await page.waitForFunction((day) => new URLSearchParams(location.search).get("b") < day, variables.b.to);
    await settled(page);
    assert.deepEqual(seen, []);
  });
});

test("the policy in force is explained with its own words and numbers", async () => {
  const { privacy } = await ask("{ privacy { version statement invariants notProtected audienceMin rho } }");
  await withPage(async (page, seen) => {
    await open(page, "?view=privacy");
    const text = await page.locator("main").textContent();
    for (const part of [privacy.statement, privacy.version, `${privacy.audienceMin} viewers`, ...privacy.invariants, ...privacy.notProtected]) assert.ok(text.includes(part), part);
    assert.deepEqual(seen, []);
  });
});

test("only windows of the catalogue are offered, and those that are not sealed say so", async () => {
  const { privacy } = await ask("{ privacy { catalogue { family entity windows } } }");
  const { sealedThrough } = await ofChannel("sealedThrough");
  await withPage(async (page, seen) => {
    await open(page, "?view=audience");
    const offered = await page.getByRole("group", { name: "Window" }).getByRole("radio").count();
    assert.equal(offered, privacy.catalogue.find((row) => row.family === "REACH" && row.entity === "CREATOR").windows.length);
    assert.ok(await page.getByRole("button", { name: "Later" }).isDisabled(), "nothing newer is sealed");
    await page.getByRole("button", { name: "Earlier" }).click();
    await page.waitForFunction(() => location.search.includes("date="));
    await settled(page);
    assert.ok(await page.getByRole("button", { name: "Later" }).isEnabled());
    // A day further back is one jump away.
    await page.getByLabel("Go to a date").fill("2020-03-17");
    await page.waitForFunction(() => location.search.includes("date=2020-03-22"));
    const tomorrow = new Date(Date.parse(sealedThrough) + 86_400_000).toISOString().slice(0, 10);
    await open(page, `?view=audience&window=DAY&date=${tomorrow}`);
    await page.getByRole("heading", { name: "These days are not sealed yet" }).waitFor();
    assert.deepEqual(seen, []);
  });
});

test("days without enough viewers point to those that have", async () => {
  await withPage(async (page, seen) => {
    await open(page, "?period=range&from=2020-01-01&to=2020-01-31");
    await page.getByRole("heading", { name: "Too few viewers to show numbers" }).waitFor();
    await page.getByRole("button", { name: /^Show / }).click();
    await page.locator(".tile .value").first().waitFor();
    assert.deepEqual(seen, []);
  });
});

test("charts come as CSV and PNG", async () => {
  const { sealedThrough, series } = await ofChannel(`sealedThrough series(range: {last: 28}, granularity: DAY) { counters { views { ${MEASURE} } } }`);
  assert.ok(sealedThrough);
  await withPage(async (page, seen) => {
    await open(page);
    const take = async (name) => {
      await page.getByLabel("More of Views").click();
      const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name }).click()]);
      return [file.suggestedFilename(), readFileSync(await file.path())];
    };
    const [csvName, csv] = await take("Download CSV");
    const lines = csv.toString("utf8").replace("\ufeff", "").trim().split("\r\n");
    assert.match(csvName, /^views-\d{4}-\d\d-\d\d\.csv$/);
    assert.equal(lines[0], "Step,Views,Views: margin of error,Views: disclosure");
    assert.deepEqual(lines.slice(1).map((line) => line.split(",").slice(-3)), series.map(({ counters: { views } }) => [String(views.value ?? ""), "", views.disclosure]));
    const [pngName, png] = await take("Download PNG");
    assert.match(pngName, /\.png$/);
    assert.deepEqual([...png.subarray(0, 4)], [0x89, 0x50, 0x4e, 0x47]);
    assert.ok(png.readUInt32BE(16) > 800 && png.length > 10_000, "a picture of the chart");
    assert.deepEqual(seen, []);
  });
});

test("charts are read with the keyboard", async () => {
  const { series } = await ofChannel(`series(range: {last: 28}, granularity: DAY) { counters { views { ${MEASURE} } } }`);
  await withPage(async (page, seen) => {
    await open(page);
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.textContent), "Skip to the numbers");
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement.id), "main");
    await page.locator("svg.line-chart").focus();
    await page.keyboard.press("End");
    const spoken = await page.locator(".plot p[aria-live]").textContent();
    assert.ok(spoken.includes(`: ${written(series.at(-1).counters.views)}. `), spoken);
    assert.deepEqual(seen, []);
  });
});

test("numbers, dates and direction follow the reader's locale", async () => {
  await withPage(async (page, seen) => {
    await open(page);
    assert.equal(await page.evaluate(() => document.documentElement.dir), "rtl");
    assert.match(await page.locator(".tile-value").first().textContent(), /[٠-٩]/);
    const side = await page.locator(".side").boundingBox();
    assert.ok(side.x > 600, "the views stand on the right");
    await page.locator(".side").getByLabel("Numbers and dates as in").selectOption("de-DE");
    await settled(page);
    assert.equal(await page.evaluate(() => document.documentElement.dir), "ltr");
    assert.deepEqual(seen, []);
  }, { locale: "ar-EG" });
});

test("themes follow the system unless one is chosen", async () => {
  const ground = (page) => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  await withPage(async (page) => {
    await open(page);
    const dark = await ground(page);
    await page.getByRole("radio", { name: "Light" }).check({ force: true });
    const light = await ground(page);
    assert.notEqual(light, dark);
    await page.reload();
    await settled(page);
    assert.equal(await ground(page), light);
  }, { colorScheme: "dark" });
});
