// The table that stands behind each chart: shown in its place on demand, and downloaded as CSV.
import { full, percent, type Unit } from "../lib/format";
import { marginOf, type Measure, reasonOf, valueOf } from "../lib/measure";
import { Value } from "./value";

export type Cell = string | { measure: Measure; unit?: Unit | undefined } | { share: number | null };
export type Table = { columns: string[]; rows: Cell[][] };

export function DataTable({ table, caption }: { table: Table; caption: string }) {
  return (
    <div className="table-scroll" tabIndex={0} role="region" aria-label={caption}>
      <table className="data">
        <caption className="unseen">{caption}</caption>
        <thead>
          <tr>{table.columns.map((column, index) => <th key={column} scope="col" className={isNumber(table.rows[0]?.[index]) ? "number" : ""}>{column}</th>)}</tr>
        </thead>
        <tbody>
          {table.rows.map((row, index) => (
            <tr key={index}>
              {row.map((cell, at) => at === 0 ? <th key={at} scope="row"><Shown cell={cell} /></th> : <td key={at} className={isNumber(cell) ? "number" : ""}><Shown cell={cell} /></td>)}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function isNumber(cell: Cell | undefined): boolean {
  return typeof cell === "object";
}

function Shown({ cell }: { cell: Cell }) {
  if (typeof cell === "string") return <>{cell}</>;
  if ("share" in cell) return <>{cell.share === null ? "–" : percent(cell.share)}</>;
  return <Value measure={cell.measure} unit={cell.unit ?? "count"} />;
}

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

/** What a screen reader says of one cell of a chart. */
export function spoken(measure: Measure, unit: Unit = "count"): string {
  const value = valueOf(measure);
  if (value === null) return reasonOf(measure) ?? "none";
  const margin = marginOf(measure);
  return margin === null ? full(value, unit) : `${full(value, unit)} ± ${full(margin, unit)}`;
}
