// Calendar days as the API writes them, `YYYY-MM-DD`, counted without any time zone.

export type Day = string;

const MS = 86_400_000;

export function dayNumber(day: Day): number {
  return Date.parse(`${day}T00:00:00Z`) / MS;
}

export function dayOf(number: number): Day {
  return new Date(number * MS).toISOString().slice(0, 10);
}

export function isDay(text: string | undefined): text is Day {
  return text !== undefined && /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(dayNumber(text)) && dayOf(dayNumber(text)) === text;
}

export function addDays(day: Day, days: number): Day {
  return dayOf(dayNumber(day) + days);
}

/** How many days from the first to the last, both included. */
export function length(from: Day, to: Day): number {
  return dayNumber(to) - dayNumber(from) + 1;
}

export function addMonths(day: Day, months: number): Day {
  const [year = 0, month = 1] = day.split("-").map(Number);
  return new Date(Date.UTC(year, month - 1 + months, 1)).toISOString().slice(0, 10);
}
