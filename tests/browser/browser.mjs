// A headless Chromium that knows no name but the server's, and what it complained about.
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

/** What the tests are told by the environment, such as THRONG_URL=http://127.0.0.1:8080. */
function told(name) {
  const value = process.env[name];
  if (!value) throw new Error(`set ${name}`);
  return value;
}

export const base = told("THRONG_URL");
export const token = told("THRONG_TOKEN");
export const jwt = told("THRONG_JWT");
export const operator = told("THRONG_OPERATOR");
/** Tokens of partners to whom the channel opened its counters, and its insights, alone. */
export const partners = { counters: told("THRONG_PARTNER_COUNTERS"), insights: told("THRONG_PARTNER_INSIGHTS") };
export const creator = told("THRONG_CREATOR");

const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find(existsSync);

// Chromium looks for updates and lists by itself; none of that may reach the network here.
const ALONE = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
];

/** Runs `use(page, seen)` in a profile of its own; `seen` gathers complaints of the page and requests to anywhere else. */
export async function withPage(use, options = {}) {
  const profile = mkdtempSync(join(tmpdir(), "throng-browser-"));
  const context = await chromium.launchPersistentContext(profile, { headless: true, executablePath, args: ALONE, ...options });
  try {
    const seen = [];
    const page = context.pages()[0];
    page.on("console", (message) => message.type() === "error" && seen.push(`console: ${message.text()}`));
    page.on("pageerror", (error) => seen.push(`thrown: ${error.message}`));
    page.on("request", (request) => {
      if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(base)) seen.push(`outside: ${request.url()}`);
    });
    page.on("response", (response) => response.status() >= 400 && seen.push(`${response.status()}: ${response.url()}`));
    await page.addInitScript(() => {
      document.addEventListener("securitypolicyviolation", (event) => console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`));
    });
    await use(page, seen);
  } finally {
    await context.close();
    rmSync(profile, { recursive: true, force: true });
  }
}
