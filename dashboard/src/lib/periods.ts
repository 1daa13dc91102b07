// Which days a page asks about. Public counters take any range; audience insights exist for the windows of the server's
// catalogue only, so nothing else is offered for them.
import type { DateRangeInput, Granularity, WindowInput, WindowKind } from "../gql/graphql";
import { addDays, addMonths, type Day, dayNumber, isDay, length } from "./days";
import type { Route } from "./route";

/** Ranges that end with the last sealed day. */
export const PERIODS = ["7", "28", "90", "365"] as const;
export type Period = (typeof PERIODS)[number] | "range";
export const DEFAULT_PERIOD: Period = "28";

/** The longest range that the API takes. */
const RANGE_MAX = 3_660;
/** More steps than this are no chart. */
const STEPS_MAX = 400;

export type Range = { period: Period; days: number; input: DateRangeInput };

export function rangeOf(route: Route): Range {
  const { from, to } = route;
  if (route.period === "range" && isDay(from) && isDay(to) && from <= to && length(from, to) <= RANGE_MAX)
    return { period: "range", days: length(from, to), input: { from, to } };
  const period = PERIODS.find((period) => period === route.period) ?? DEFAULT_PERIOD;
  return { period, days: Number(period), input: { last: Number(period) } };
}

const STEP_DAYS: Record<Granularity, number> = { HOUR: 1 / 24, DAY: 1, WEEK: 7, MONTH: 30, QUARTER: 91, YEAR: 365 };

/** The steps in which a range makes a readable chart. */
export function granularities(days: number): Granularity[] {
  const all: Granularity[] = ["HOUR", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR"];
  return all.filter((step) => days / STEP_DAYS[step] <= (step === "HOUR" ? 24 * 7 : STEPS_MAX) && days / STEP_DAYS[step] >= (step === "HOUR" || step === "DAY" ? 1 : 3));
}

export function granularityOf(route: Route, days: number): Granularity {
  const offered = granularities(days);
  const usual: Granularity = days <= 2 ? "HOUR" : days <= 120 ? "DAY" : days <= 800 ? "WEEK" : "MONTH";
  return offered.find((step) => step === route.step) ?? offered.find((step) => step === usual) ?? offered[0] ?? "DAY";
}

/** Days in front are asked for too where the steps of both periods lie over each other: they become the line before. */
export function withDaysBefore(range: Range, step: Granularity): DateRangeInput {
  if (step !== "DAY" || range.days > 120) return range.input;
  const { from, to } = range.input;
  if (from && to) return { from: addDays(from, -range.days), to };
  return { last: 2 * range.days };
}

/** Kinds of window in the order of a picker. */
export const KINDS: WindowKind[] = [
  "DAY", "LAST_7_DAYS", "LAST_28_DAYS", "MONTH", "QUARTER", "YEAR",
  "FIRST_1_DAY", "FIRST_7_DAYS", "FIRST_28_DAYS", "FIRST_90_DAYS", "FIRST_365_DAYS",
];
export const DEFAULT_KIND: WindowKind = "LAST_28_DAYS";

export const KIND_LABELS: Record<WindowKind, string> = {
  DAY: "Day",
  LAST_7_DAYS: "7 days",
  LAST_28_DAYS: "28 days",
  MONTH: "Month",
  QUARTER: "Quarter",
  YEAR: "Year",
  FIRST_1_DAY: "First day",
  FIRST_7_DAYS: "First 7 days",
  FIRST_28_DAYS: "First 28 days",
  FIRST_90_DAYS: "First 90 days",
  FIRST_365_DAYS: "First year",
};

/** The kinds that the catalogue has, if the address names one of them; else the usual one. */
export function windowOf(route: Route, offered: readonly WindowKind[] | null, usual: WindowKind = DEFAULT_KIND): WindowInput {
  const kind = (offered ?? KINDS).find((kind) => kind === route.window) ?? usual;
  return byAge(kind) || !isDay(route.date) ? { kind } : { kind, date: route.date };
}

/** The window whose audience stands beside the counters of a range: the very days where they are a window, else their last month. */
export function windowBeside({ period, input: { from, to } }: Range): WindowInput {
  if (period === "range" && from && to) {
    const same = (["MONTH", "QUARTER", "YEAR"] as const).find((kind) => firstDay(kind, to) === from && lastDay(kind, to) === to);
    return { kind: same ?? "MONTH", date: to };
  }
  return { kind: period === "7" ? "LAST_7_DAYS" : "LAST_28_DAYS" };
}

/** Windows of a video's first days have no date of their own. */
export function byAge(kind: WindowKind): boolean {
  return kind.startsWith("FIRST_");
}

export type Span = { kind: WindowKind; from: Day; to: Day };

/** A date in the window so many steps away. */
export function shifted({ kind, from, to }: Span, steps: number, rollingStepDays: number): Day {
  switch (kind) {
    case "DAY": return addDays(to, steps);
    case "LAST_7_DAYS":
    case "LAST_28_DAYS": return addDays(to, steps * rollingStepDays);
    case "MONTH": return addMonths(from, steps);
    case "QUARTER": return addMonths(from, 3 * steps);
    case "YEAR": return addMonths(from, 12 * steps);
    default: return to;
  }
}

/** The last day of the window that a date names. */
export function lastDay(kind: WindowKind, date: Day): Day {
  const [year = 0, month = 1] = date.split("-").map(Number);
  const months = kind === "MONTH" ? 1 : kind === "QUARTER" ? 3 - ((month - 1) % 3) : kind === "YEAR" ? 13 - month : 0;
  if (months === 0) return date;
  return addDays(addMonths(`${String(year).padStart(4, "0")}-${String(month).padStart(2, "0")}-01`, months), -1);
}

/** The first day of the window that a date names. */
export function firstDay(kind: WindowKind, date: Day): Day {
  const month = Number(date.slice(5, 7));
  switch (kind) {
    case "LAST_7_DAYS": return addDays(date, -6);
    case "LAST_28_DAYS": return addDays(date, -27);
    case "MONTH": return `${date.slice(0, 8)}01`;
    case "QUARTER": return `${date.slice(0, 5)}${String(month - ((month - 1) % 3)).padStart(2, "0")}-01`;
    case "YEAR": return `${date.slice(0, 5)}01-01`;
    default: return date;
  }
}

/** Whether the window one step later is sealed as a whole. */
export function hasNext(span: Span, sealedThrough: Day | null, rollingStepDays: number): boolean {
  if (sealedThrough === null || byAge(span.kind)) return false;
  return lastDay(span.kind, shifted(span, 1, rollingStepDays)) <= sealedThrough;
}

function isRolling(kind: WindowKind): boolean {
  return kind === "LAST_7_DAYS" || kind === "LAST_28_DAYS";
}

/** The newest day on or before this one on which rolling windows end. They count from a Sunday: 1970-01-04 was one. */
function stepEnd(day: Day, rollingStepDays: number): Day {
  const into = (((dayNumber(day) - 3) % rollingStepDays) + rollingStepDays) % rollingStepDays;
  return addDays(day, -into);
}

/** The first window that ends on or after a day, or the newest sealed one where that is not sealed. */
export function around(kind: WindowKind, day: Day, sealedThrough: Day, rollingStepDays: number): Span {
  const end = isRolling(kind) ? stepEnd(addDays(day, rollingStepDays - 1), rollingStepDays) : day;
  const last = lastDay(kind, end);
  return last > sealedThrough ? newest(kind, sealedThrough, rollingStepDays) : { kind, from: firstDay(kind, end), to: last };
}

/** The newest window of a kind whose days are all sealed. */
export function newest(kind: WindowKind, sealedThrough: Day, rollingStepDays: number): Span {
  let date = sealedThrough;
  if (isRolling(kind)) {
    date = stepEnd(date, rollingStepDays);
  } else if (lastDay(kind, date) > sealedThrough) {
    date = addDays(firstDay(kind, date), -1);
  }
  return { kind, from: firstDay(kind, date), to: lastDay(kind, date) };
}
