import { expect, test } from "vitest";
import { daysOf, marginOfDifference, overlap, pairOf, stepOf } from "./compared";

test("by default the newest window stands against the one before that shares no day with it", () => {
  expect(pairOf({ view: "compare" }, "2026-11-22", 7)).toEqual({
    kind: "LAST_28_DAYS",
    a: { kind: "LAST_28_DAYS", from: "2026-10-26", to: "2026-11-22" },
    b: { kind: "LAST_28_DAYS", from: "2026-09-28", to: "2026-10-25" },
  });
  const quarter = pairOf({ view: "compare", kind: "QUARTER" }, "2026-11-22", 7);
  expect([quarter.a.from, quarter.a.to, quarter.b.from, quarter.b.to]).toEqual(["2026-07-01", "2026-09-30", "2026-04-01", "2026-06-30"]);
});

test("the address names other ones", () => {
  const march = pairOf({ view: "compare", kind: "MONTH", a: "2026-03-01", b: "2025-03-15" }, "2026-11-22", 7);
  expect([march.a.to, march.b.from, march.b.to]).toEqual(["2026-03-31", "2025-03-01", "2025-03-31"]);
  const ranges = pairOf({ view: "compare", kind: "RANGE", a: "2026-03-01..2026-03-10" }, "2026-11-22", 7);
  expect([ranges.a, ranges.b]).toEqual([{ from: "2026-03-01", to: "2026-03-10" }, { from: "2026-02-19", to: "2026-02-28" }]);
  expect([daysOf("2026-03-10..2026-03-01"), daysOf("2026-03-01"), daysOf(undefined)]).toEqual([null, null, null]);
});

test("overlaps are seen, and steps fit the longer period", () => {
  const pair = pairOf({ view: "compare", kind: "RANGE", a: "2026-03-01..2026-03-10", b: "2026-03-10..2026-03-11" }, "2026-11-22", 7);
  expect([overlap(pair), stepOf(pair)]).toEqual([true, "DAY"]);
  const days = pairOf({ view: "compare", kind: "DAY" }, "2026-11-22", 7);
  expect([overlap(days), stepOf(days)]).toEqual([false, "HOUR"]);
  expect(stepOf(pairOf({ view: "compare", kind: "YEAR" }, "2026-11-22", 7))).toBe("WEEK");
});

test("margins of a difference add up as independent errors do", () => {
  expect(marginOfDifference(3, 4)).toBe(5);
});
