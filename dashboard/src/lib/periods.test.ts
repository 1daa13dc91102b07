import { expect, test } from "vitest";
import type { WindowKind } from "../gql/graphql";
import { addDays, addMonths, isDay, length } from "./days";
import { around, granularities, granularityOf, hasNext, lastDay, newest, rangeOf, shifted, windowBeside, windowOf, withDaysBefore } from "./periods";

const CREATOR: WindowKind[] = ["DAY", "LAST_7_DAYS", "LAST_28_DAYS", "MONTH", "QUARTER", "YEAR"];

test("days are counted on the calendar", () => {
  expect(addDays("2024-02-28", 2)).toBe("2024-03-01");
  expect(addMonths("2026-01-31", 1)).toBe("2026-02-01");
  expect(addMonths("2026-01-01", -1)).toBe("2025-12-01");
  expect(length("2026-10-25", "2026-11-01")).toBe(8);
  expect([isDay("2026-02-29"), isDay("2024-02-29"), isDay("2024-2-9"), isDay("today"), isDay(undefined)]).toEqual([false, true, false, false, false]);
});

test("a range is the address's, or the usual one where that makes no sense", () => {
  expect(rangeOf({ view: "overview" })).toEqual({ period: "28", days: 28, input: { last: 28 } });
  expect(rangeOf({ view: "overview", period: "90" }).input).toEqual({ last: 90 });
  const dates = { view: "overview", period: "range", from: "2026-03-01", to: "2026-03-31" } as const;
  expect(rangeOf(dates)).toEqual({ period: "range", days: 31, input: { from: "2026-03-01", to: "2026-03-31" } });
  for (const wrong of [{ ...dates, from: "2026-04-01" }, { ...dates, to: "x" }, { ...dates, from: "2000-01-01" }, { view: "overview", period: "-1" } as const])
    expect(rangeOf(wrong).input).toEqual({ last: 28 });
});

test("steps are offered where they make a chart that can be read", () => {
  expect(granularities(1)).toEqual(["HOUR", "DAY"]);
  expect(granularities(7)).toEqual(["HOUR", "DAY"]);
  expect(granularities(28)).toEqual(["DAY", "WEEK"]);
  expect(granularities(90)).toEqual(["DAY", "WEEK", "MONTH"]);
  expect(granularities(3_660)).toEqual(["MONTH", "QUARTER", "YEAR"]);
  expect(granularityOf({ view: "overview", step: "HOUR" }, 28)).toBe("DAY");
  expect(granularityOf({ view: "overview", step: "WEEK" }, 28)).toBe("WEEK");
  for (let days = 1; days <= 3_660; days += 1) expect(granularities(days)).toContain(granularityOf({ view: "overview" }, days));
});

test("the period before is asked for in the same series where days lie over days", () => {
  const range = rangeOf({ view: "overview" });
  expect(withDaysBefore(range, "DAY")).toEqual({ last: 56 });
  expect(withDaysBefore(range, "WEEK")).toEqual({ last: 28 });
  const dates = rangeOf({ view: "overview", period: "range", from: "2026-03-11", to: "2026-03-20" });
  expect(withDaysBefore(dates, "DAY")).toEqual({ from: "2026-03-01", to: "2026-03-20" });
});

test("only windows of the catalogue are asked for", () => {
  expect(windowOf({ view: "audience" }, CREATOR)).toEqual({ kind: "LAST_28_DAYS" });
  expect(windowOf({ view: "audience", window: "MONTH", date: "2026-03-09" }, CREATOR)).toEqual({ kind: "MONTH", date: "2026-03-09" });
  expect(windowOf({ view: "audience", window: "FIRST_7_DAYS" }, CREATOR)).toEqual({ kind: "LAST_28_DAYS" });
  expect(windowOf({ view: "video", window: "FIRST_7_DAYS", date: "2026-03-09" }, [...CREATOR, "FIRST_7_DAYS"])).toEqual({ kind: "FIRST_7_DAYS" });
  expect(windowOf({ view: "audience", date: "2026-02-30" }, CREATOR)).toEqual({ kind: "LAST_28_DAYS" });
});

test("the newest window is the one that the server takes without a date", () => {
  const spans = Object.fromEntries(CREATOR.map((kind) => [kind, newest(kind, "2026-11-20", 7)]).map(([kind, span]) => [kind, [(span as { from: string }).from, (span as { to: string }).to]]));
  expect(spans).toEqual({
    DAY: ["2026-11-20", "2026-11-20"],
    LAST_7_DAYS: ["2026-11-09", "2026-11-15"],
    LAST_28_DAYS: ["2026-10-19", "2026-11-15"],
    MONTH: ["2026-10-01", "2026-10-31"],
    QUARTER: ["2026-07-01", "2026-09-30"],
    YEAR: ["2025-01-01", "2025-12-31"],
  });
  expect(newest("MONTH", "2026-11-30", 7).to).toBe("2026-11-30");
  expect(newest("LAST_7_DAYS", "2026-11-22", 7).to).toBe("2026-11-22");
});

test("stepping goes from window to window and stops at the watermark", () => {
  const month = newest("MONTH", "2026-11-20", 7);
  expect(shifted(month, -1, 7)).toBe("2026-09-01");
  expect(shifted(newest("LAST_28_DAYS", "2026-11-20", 7), -1, 7)).toBe("2026-11-08");
  expect(shifted(newest("QUARTER", "2026-11-20", 7), -1, 7)).toBe("2026-04-01");
  for (const kind of CREATOR) {
    const span = newest(kind, "2026-11-20", 7);
    expect(hasNext(span, "2026-11-20", 7)).toBe(false);
    const date = shifted(span, -1, 7);
    expect(hasNext({ kind, from: date, to: lastDay(kind, date) }, "2026-11-20", 7)).toBe(true);
    expect(hasNext(span, null, 7)).toBe(false);
  }
});

test("a jump lands on the window that holds the day, and never beyond the watermark", () => {
  const to = (kind: WindowKind, day: string) => around(kind, day, "2026-11-20", 7).to;
  expect([to("DAY", "2022-04-12"), to("LAST_7_DAYS", "2022-04-12"), to("LAST_28_DAYS", "2022-04-17")]).toEqual(["2022-04-12", "2022-04-17", "2022-04-17"]);
  expect([to("MONTH", "2022-04-12"), to("QUARTER", "2022-04-12"), to("YEAR", "2022-04-12")]).toEqual(["2022-04-30", "2022-06-30", "2022-12-31"]);
  expect([to("DAY", "2027-01-01"), to("LAST_7_DAYS", "2026-11-19"), to("MONTH", "2026-11-02")]).toEqual(["2026-11-20", "2026-11-15", "2026-10-31"]);
});

test("beside a range stands the audience of the window that fits it best", () => {
  const beside = (from: string, to: string) => windowBeside({ period: "range", days: length(from, to), input: { from, to } });
  expect(beside("2022-04-01", "2022-06-30")).toEqual({ kind: "QUARTER", date: "2022-06-30" });
  expect(beside("2022-01-01", "2022-12-31")).toEqual({ kind: "YEAR", date: "2022-12-31" });
  expect(beside("2022-04-03", "2022-04-20")).toEqual({ kind: "MONTH", date: "2022-04-20" });
  expect(windowBeside(rangeOf({ view: "overview", period: "7" }))).toEqual({ kind: "LAST_7_DAYS" });
});
