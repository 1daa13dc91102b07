// Two periods to set against each other. Where both are windows of the catalogue, their audiences can be compared too.
import type { Granularity, WindowKind } from "../gql/graphql";
import { addDays, type Day, dayNumber, isDay, length } from "./days";
import { firstDay, granularities, lastDay, newest, shifted, type Span } from "./periods";
import type { Route } from "./route";

export type Kind = WindowKind | "RANGE";
export const COMPARED_KINDS: Kind[] = ["DAY", "LAST_7_DAYS", "LAST_28_DAYS", "MONTH", "QUARTER", "YEAR", "RANGE"];
export const DEFAULT_COMPARED: Kind = "LAST_28_DAYS";

export type Days = { from: Day; to: Day };
export type Pair = { kind: Kind; a: Days; b: Days };

export function kindOf(route: Route): Kind {
  return COMPARED_KINDS.find((kind) => kind === route.kind) ?? DEFAULT_COMPARED;
}

/** A is the later one unless the address says otherwise. `today` stands in where no day is sealed. */
export function pairOf(route: Route, sealedThrough: Day, rollingStepDays: number): Pair {
  const kind = kindOf(route);
  if (kind === "RANGE") {
    const a = daysOf(route.a) ?? { from: addDays(sealedThrough, -27), to: sealedThrough };
    const b = daysOf(route.b) ?? before(a);
    return { kind, a, b };
  }
  const span = (day: string | undefined): Span | null => {
    if (!isDay(day)) return null;
    const last = lastDay(kind, day);
    return { kind, from: firstDay(kind, day), to: last };
  };
  const a = span(route.a) ?? newest(kind, sealedThrough, rollingStepDays);
  const b = span(route.b) ?? apart(a, rollingStepDays);
  return { kind, a, b };
}

/** The nearest earlier window that shares no day with this one. */
function apart(a: Span, rollingStepDays: number): Span {
  let b = a;
  do {
    const date = shifted(b, -1, rollingStepDays);
    b = { kind: a.kind, from: firstDay(a.kind, date), to: lastDay(a.kind, date) };
  } while (b.to >= a.from);
  return b;
}

function before({ from, to }: Days): Days {
  const days = length(from, to);
  return { from: addDays(from, -days), to: addDays(to, -days) };
}

/** `2026-03-01..2026-03-31`, as the address holds a range. */
export function daysOf(text: string | undefined): Days | null {
  const [from, to] = text?.split("..") ?? [];
  return isDay(from) && isDay(to) && from <= to && length(from, to) <= 3_660 ? { from, to } : null;
}

export function daysText({ from, to }: Days): string {
  return `${from}..${to}`;
}

/** Steps in which both make a readable chart. */
export function stepOf({ a, b }: Pair): Granularity {
  const days = Math.max(length(a.from, a.to), length(b.from, b.to));
  return days <= 2 ? "HOUR" : days <= 120 ? "DAY" : granularities(days).includes("WEEK") ? "WEEK" : "MONTH";
}

export function overlap({ a, b }: Pair): boolean {
  return dayNumber(a.from) <= dayNumber(b.to) && dayNumber(b.from) <= dayNumber(a.to);
}

/** Half the 95 % interval of a difference of two independent numbers. */
export function marginOfDifference(a: number, b: number): number {
  return Math.hypot(a, b);
}
