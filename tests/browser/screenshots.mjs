// Takes the pictures in docs/images: `npm run screenshots` against `throng demo` of the same day, with the
// variables that the tests take. `pngquant --ext .png --force docs/images/*.png` makes them small.
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { base, creator, token, withPage } from "./browser.mjs";
import { ask, settled } from "./dashboard.mjs";

const OUT = fileURLToPath(new URL("../../docs/images/", import.meta.url));
const DESKTOP = { width: 1440, height: 900 };
const PHONE = { width: 390, height: 844 };

const { creator: channel } = await ask("query ($id: ID!) { creator(id: $id) { topVideos(range: {last: 28}, by: VIEWS, first: 1) { video { id } } } }", { id: creator });
const VIEWS = {
  overview: "",
  audience: "?view=audience",
  content: "?view=content",
  video: `?view=video&video=${channel.topVideos[0].video.id}`,
  compare: "?view=compare",
  privacy: "?view=privacy",
};
// Each of them once at least; the two main ones in every way.
const PICTURES = [
  ["overview", DESKTOP, "light"], ["overview", DESKTOP, "dark"], ["overview", PHONE, "light"], ["overview", PHONE, "dark"],
  ["audience", DESKTOP, "light"], ["audience", DESKTOP, "dark"], ["audience", PHONE, "light"], ["audience", PHONE, "dark"],
  ["content", DESKTOP, "light"], ["video", DESKTOP, "dark"], ["compare", DESKTOP, "light"], ["privacy", PHONE, "dark"],
];

mkdirSync(OUT, { recursive: true });
for (const [view, viewport, colorScheme] of PICTURES)
  await withPage(async (page) => {
    await page.goto(`${base}/${VIEWS[view]}#token=${token}`);
    await settled(page);
    await page.evaluate(() => document.fonts.ready);
    const file = `${view}-${viewport.width}-${colorScheme}.png`;
    await page.screenshot({ path: OUT + file, fullPage: view === "audience" && viewport === DESKTOP });
    console.log(file);
  }, { viewport, colorScheme, locale: "en-US" });
