// What the tests of the dashboard share: its address, the API's own answers, and what a page lets a reader read.
import assert from "node:assert/strict";
import { base, creator, token } from "./browser.mjs";

export const VIEWS = ["overview", "audience", "content", "compare", "privacy"];

/** What the API answers to the same token. */
export async function ask(query, variables = {}) {
  const response = await fetch(`${base}/graphql`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${token}` },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await response.json();
  assert.equal(errors, undefined, JSON.stringify(errors));
  return data;
}

/** Opens a view by its address, signed in, and waits until it has been answered and drawn. */
export async function open(page, search = "", bearer = token) {
  await page.goto(`${base}/${search}#token=${bearer}`);
  await settled(page);
}

export async function settled(page) {
  await page.locator(".answer:not(.stale)").first().waitFor();
  await page.waitForFunction(() => document.querySelector(".skeleton, .plot.loading, .map-loading") === null);
}

/** Goes to a view by the link that a reader would take. */
export async function visit(page, name) {
  await page.getByRole("navigation", { name: "Views" }).getByRole("link", { name }).click();
  await page.getByRole("heading", { level: 1, name }).waitFor();
  await settled(page);
}

/** Counts the questions that a page asks from now on. */
export function questions(page) {
  const asked = [];
  page.on("request", (request) => request.url().endsWith("/graphql") && asked.push(request.postDataJSON()));
  return asked;
}

/** The table that stands behind a chart, as rows of text. */
export async function tableOf(page, title) {
  const figure = page.getByRole("figure", { name: title, exact: true });
  await figure.getByLabel(`More of ${title}`).click();
  await figure.getByRole("button", { name: "Show as table" }).click();
  const rows = await figure.locator("tbody tr").evaluateAll((rows) => rows.map((row) => [...row.children].map((cell) => cell.textContent.trim())));
  await figure.getByLabel(`More of ${title}`).click();
  await figure.getByRole("button", { name: "Show the chart" }).click();
  return rows;
}

/** A measure as the page writes it for a reader in the United States. */
export function written(measure) {
  if (measure.disclosure === "WITHHELD") return "Withheld";
  if (measure.disclosure === "NOT_SEALED") return "Not sealed";
  if (measure.disclosure === "NOT_APPLICABLE") return "None";
  const number = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
  const margin = measure.disclosure === "NOISY" && measure.marginOfError !== null ? ` ± ${number.format(Math.max(1, Math.round(measure.marginOfError)))}` : "";
  return number.format(measure.value) + margin;
}

export function share(value) {
  return value === null ? "–" : new Intl.NumberFormat("en-US", { style: "percent", maximumFractionDigits: 1 }).format(value);
}

/** Everything that a reader or a screen reader gets to read, and what is said to stand behind it. */
export async function readable(page) {
  return page.evaluate(() => {
    const texts = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) texts.push(node.textContent);
    for (const element of document.querySelectorAll("*"))
      for (const name of ["title", "aria-label", "aria-description", "alt", "value", "placeholder"]) if (element.hasAttribute(name)) texts.push(element.getAttribute(name));
    return texts.filter((text) => text.trim() !== "");
  });
}

/** Texts of what is marked as not disclosed. */
export function undisclosed(page) {
  return page.locator('[data-disclosure="WITHHELD"], [data-disclosure="NOT_SEALED"], [data-disclosure="NOT_APPLICABLE"]').evaluateAll((cells) => cells.map((cell) => cell.textContent));
}

export const channelQuery = (fields) => `query ($id: ID!) { creator(id: $id) { ${fields} } }`;
export const ofChannel = async (fields) => (await ask(channelQuery(fields), { id: creator })).creator;
