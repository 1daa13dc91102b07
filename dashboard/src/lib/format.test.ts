import { beforeEach, expect, test, vi } from "vitest";

const storage = new Map<string, string>();
vi.stubGlobal("localStorage", { getItem: (key: string) => storage.get(key) ?? null, setItem: (key: string, value: string) => storage.set(key, value), removeItem: (key: string) => storage.delete(key) });
vi.stubGlobal("document", { documentElement: { dir: "" } });

const { applyDirection, isRtl, setLocale } = await import("./locale");
const { clock, days, full, hourOf, percent, short, signed, weekday } = await import("./format");

beforeEach(() => setLocale("en-US"));

test("numbers are written as the locale writes them", () => {
  expect(full(1234567.4)).toBe("1,234,567");
  expect(short(56_042)).toBe("56K");
  expect(short(9_999)).toBe("9,999");
  expect(full(0.2691, "ratio")).toBe("26.9%");
  setLocale("de-DE");
  expect(full(1234567)).toBe("1.234.567");
  expect(full(0.2691, "ratio")).toBe("26,9\u00a0%");
  setLocale("ar-EG");
  expect(full(42)).toBe("٤٢");
});

test("durations show their two largest parts, rounded the same on tiles and in tables", () => {
  expect(full(12.24, "seconds")).toBe("12.2s");
  expect(full(75, "seconds")).toBe("1m 15s");
  expect(full(120, "seconds")).toBe("2m");
  expect(full(7_260, "seconds")).toBe("2h 1m");
  expect(full(687_240, "seconds")).toBe("191h");
  expect(short(687_240, "seconds")).toBe("191h");
  expect(short(59.96, "seconds")).toBe("1m");
  expect(clock(15.2)).toBe("0:15");
  expect(clock(3_600)).toBe("60:00");
});

test("changes carry a sign, and small ones a digit more", () => {
  expect(signed(0.25)).toBe("+25%");
  expect(signed(-0.034)).toBe("-3.4%");
  expect(signed(0)).toBe("0%");
  expect(percent(0.1896, 0)).toBe("19%");
});

test("days and hours are those that the API names, wherever the reader is", () => {
  expect(days("2026-10-26", "2026-11-22")).toBe("Oct 26\u2009–\u2009Nov 22, 2026");
  expect(days("2026-11-22", "2026-11-22")).toBe("Nov 22, 2026");
  expect(hourOf("2026-03-09T13:00:00+01:00")).toMatch(/^Mon.*1:00\sPM$/);
  expect(weekday(0, "long")).toBe("Monday");
  expect(weekday(6)).toBe("Sun");
});

test("the page reads from the right where the locale does", () => {
  applyDirection();
  expect(document.documentElement.dir).toBe("ltr");
  setLocale("he-IL");
  expect([isRtl(), document.documentElement.dir]).toEqual([true, "rtl"]);
});
