// The table that stands behind each chart, and the same as a file.
import type { Unit } from "./format";
import { marginOf, type Measure, valueOf } from "./measure";

export type Cell = string | { measure: Measure; unit?: Unit | undefined } | { share: number | null };
export type Table = { columns: string[]; rows: Cell[][] };

/** RFC 4180. A measure takes three columns; what is not disclosed is an empty cell beside the reason. */
export function csv(table: Table): string {
  const wide = table.columns.map((_, index) => table.rows.some((row) => typeof row[index] === "object" && "measure" in (row[index] as object)));
  const head = table.columns.flatMap((column, index) => wide[index] ? [column, `${column}: margin of error`, `${column}: disclosure`] : [column]);
  const rows = table.rows.map((row) => row.flatMap((cell, index) => {
    if (typeof cell === "string") return wide[index] ? [cell, "", ""] : [cell];
    if ("share" in cell) return [cell.share === null ? "" : String(cell.share)];
    return [String(valueOf(cell.measure) ?? ""), String(marginOf(cell.measure) ?? ""), cell.measure.disclosure];
  }));
  return [head, ...rows].map((row) => row.map(field).join(",")).join("\r\n") + "\r\n";
}

/** Quoted where needed; what a spreadsheet would take for a formula gets an apostrophe in front. */
function field(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
