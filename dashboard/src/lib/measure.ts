// What a measure says. Whether there is a number is judged by `disclosure` alone, and everything that shows one comes by here.
import type { Disclosure } from "../gql/graphql";

export type Measure = {
  value?: number | null;
  disclosure: Disclosure;
  marginOfError?: number | null;
  previous?: number | null;
  change?: number | null;
};

/** The number, or null where it is not disclosed. */
export function valueOf(measure: Measure | null | undefined): number | null {
  if (!measure || (measure.disclosure !== "EXACT" && measure.disclosure !== "NOISY")) return null;
  return measure.value ?? null;
}

export function marginOf(measure: Measure): number | null {
  return measure.disclosure === "NOISY" ? (measure.marginOfError ?? null) : null;
}

/** A share of the whole, null unless the number itself is disclosed. */
export function shareOf(cell: { share?: number | null; measure: Measure }): number | null {
  return valueOf(cell.measure) === null ? null : (cell.share ?? null);
}

export const REASONS: Record<Exclude<Disclosure, "EXACT" | "NOISY">, { short: string; long: string }> = {
  WITHHELD: { short: "Withheld", long: "Withheld: too few viewers stand behind this number, or showing it would give such a number away." },
  NOT_SEALED: { short: "Not sealed", long: "Not sealed yet: the days of this period are still open." },
  NOT_APPLICABLE: { short: "None", long: "There is no such number here." },
};

/** The reason as text for tables and files. */
export function reasonOf(measure: Measure): string | null {
  const { disclosure } = measure;
  return disclosure === "EXACT" || disclosure === "NOISY" ? null : REASONS[disclosure].short;
}
