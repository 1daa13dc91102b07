// Values as a reader's locale writes them.
import { dayNumber, type Day } from "./days";
import { locale } from "./locale";

/** What a number counts; it says how it is written. */
export type Unit = "count" | "seconds" | "clock" | "ratio";

const made = new Map<string, Intl.NumberFormat>();

function numbers(options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = locale() + JSON.stringify(options);
  let format = made.get(key);
  if (!format) made.set(key, (format = new Intl.NumberFormat(locale(), options)));
  return format;
}

const dates = new Map<string, Intl.DateTimeFormat>();

function dateFormat(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = locale() + JSON.stringify(options);
  let format = dates.get(key);
  if (!format) dates.set(key, (format = new Intl.DateTimeFormat(locale(), { timeZone: "UTC", ...options })));
  return format;
}

/** The whole number. */
export function full(value: number, unit: Unit = "count"): string {
  switch (unit) {
    case "count": return numbers({ maximumFractionDigits: 0 }).format(value);
    case "seconds": return duration(value);
    case "clock": return clock(value);
    case "ratio": return numbers({ style: "percent", maximumFractionDigits: 1 }).format(value);
  }
}

/** Three digits that fit on a tile. */
export function short(value: number, unit: Unit = "count"): string {
  if (unit === "count" && Math.abs(value) >= 10_000) return numbers({ notation: "compact", maximumSignificantDigits: 3 }).format(value);
  if (unit === "seconds" && Math.abs(value) >= 3_600)
    return numbers({ style: "unit", unit: "hour", unitDisplay: "narrow", maximumSignificantDigits: 3, notation: value >= 36_000_000 ? "compact" : "standard" }).format(value / 3_600);
  return full(value, unit);
}

/** Hours, minutes, seconds: the two largest. */
function duration(seconds: number): string {
  const part = (value: number, unit: string) => numbers({ style: "unit", unit, unitDisplay: "narrow", maximumFractionDigits: 0 }).format(value);
  if (seconds < 59.95) return numbers({ style: "unit", unit: "second", unitDisplay: "narrow", maximumFractionDigits: 1 }).format(Math.max(0, seconds));
  if (seconds >= 360_000) return part(seconds / 3_600, "hour");
  const rounded = Math.round(seconds);
  const [hours, minutes, rest] = [Math.floor(rounded / 3_600), Math.floor((rounded % 3_600) / 60), rounded % 60];
  if (hours > 0) return minutes > 0 ? `${part(hours, "hour")} ${part(minutes, "minute")}` : part(hours, "hour");
  return rest > 0 ? `${part(minutes, "minute")} ${part(rest, "second")}` : part(minutes, "minute");
}

/** 0:15, as players write lengths. */
export function clock(seconds: number): string {
  const rounded = Math.round(seconds);
  const two = numbers({ minimumIntegerDigits: 2, useGrouping: false });
  return `${numbers({ useGrouping: false }).format(Math.floor(rounded / 60))}:${two.format(rounded % 60)}`;
}

export function percent(share: number, digits = 1): string {
  return numbers({ style: "percent", maximumFractionDigits: digits }).format(share);
}

/** A change with its sign. */
export function signed(share: number): string {
  return numbers({ style: "percent", maximumFractionDigits: Math.abs(share) < 0.1 ? 1 : 0, signDisplay: "exceptZero" }).format(share);
}

function utc(day: Day): Date {
  return new Date(dayNumber(day) * 86_400_000);
}

export function shortDay(day: Day): string {
  return dateFormat({ month: "short", day: "numeric" }).format(utc(day));
}

export function longDay(day: Day): string {
  return dateFormat({ weekday: "short", month: "short", day: "numeric", year: "numeric" }).format(utc(day));
}

export function mediumDay(day: Day): string {
  return dateFormat({ month: "short", day: "numeric", year: "numeric" }).format(utc(day));
}

export function days(from: Day, to: Day): string {
  return from === to ? mediumDay(from) : dateFormat({ month: "short", day: "numeric", year: "numeric" }).formatRange(utc(from), utc(to));
}

export function month(day: Day): string {
  return dateFormat({ month: "short", year: "numeric" }).format(utc(day));
}

export function monthName(day: Day): string {
  return dateFormat({ month: "long", year: "numeric" }).format(utc(day));
}

export function yearName(day: Day): string {
  return dateFormat({ year: "numeric" }).format(utc(day));
}

/** The clock hour that an instant names in its own offset: `2026-03-09T13:00:00+01:00` is 13:00. */
export function hourOf(instant: string): string {
  return dateFormat({ weekday: "short", hour: "numeric", minute: "2-digit" }).format(new Date(`${instant.slice(0, 19)}Z`));
}

export function hour(hour: number): string {
  return dateFormat({ hour: "numeric" }).format(new Date(hour * 3_600_000));
}

/** Monday is 0. */
export function weekday(index: number, width: "short" | "long" = "short"): string {
  return dateFormat({ weekday: width }).format(new Date((4 + index) * 86_400_000));
}

export function country(code: string): string {
  try {
    return new Intl.DisplayNames([locale(), "en"], { type: "region" }).of(code) ?? code;
  } catch {
    return code;
  }
}
