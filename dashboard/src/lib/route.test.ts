import { expect, test } from "vitest";
import { retryAfter } from "./client";
import { parseRoute, routeSearch, toView } from "./route";

test("an address says what is shown, and what it cannot mean is dropped", () => {
  expect(parseRoute("?view=audience&channel=c42&window=MONTH&date=2026-03-09")).toEqual({ view: "audience", channel: "c42", window: "MONTH", date: "2026-03-09" });
  expect(parseRoute("")).toEqual({ view: "overview" });
  expect(parseRoute(`?view=nonsense&evil=1&channel=${"x".repeat(300)}`)).toEqual({ view: "overview" });
  expect(routeSearch({ view: "overview" })).toBe("./");
  expect(parseRoute(routeSearch({ view: "video", video: "a&b=c #1" }))).toEqual({ view: "video", video: "a&b=c #1" });
});

test("the channel and the days go along to another view, what belongs to one view stays", () => {
  const overview = parseRoute("?channel=c42&period=90&metric=likes&step=WEEK");
  expect(toView(overview, "content")).toEqual({ view: "content", channel: "c42", period: "90" });
  expect(toView(overview, "video", { video: "v1" })).toEqual({ view: "video", channel: "c42", period: "90", video: "v1" });
  expect(toView(parseRoute("?view=video&video=v1&window=FIRST_7_DAYS"), "audience")).toEqual({ view: "audience" });
});

test("a pause is as long as the server says, in seconds or until a date", () => {
  expect([retryAfter("7"), retryAfter("0"), retryAfter("0.2")]).toEqual([7, 1, 1]);
  expect(retryAfter("Thu, 01 Jan 1970 00:01:40 GMT", 60_000)).toBe(40);
  expect([retryAfter(null), retryAfter(""), retryAfter("soon")]).toEqual([5, 5, 5]);
});
