// The table that stands behind each chart, shown in its place on demand.
import { full, percent, type Unit } from "../lib/format";
import { marginOf, type Measure, reasonOf, valueOf } from "../lib/measure";
import type { Cell, Table } from "../lib/csv";
import { Value } from "./value";

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

/** What a screen reader says of one cell of a chart. */
export function spoken(measure: Measure, unit: Unit = "count"): string {
  const value = valueOf(measure);
  if (value === null) return reasonOf(measure) ?? "none";
  const margin = marginOf(measure);
  return margin === null ? full(value, unit) : `${full(value, unit)} ± ${full(margin, unit)}`;
}
