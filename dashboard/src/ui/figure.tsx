// The frame of a chart: what it shows, its table, and the ways to take it along.
import { type ReactNode, useEffect, useId, useRef, useState } from "react";
import { downloadCsv, downloadPng } from "../lib/download";
import { Icon } from "./icons";
import { csv, type Table } from "../lib/csv";
import { DataTable } from "./table";

type Props = {
  title: string;
  /** Under the title: what is counted, over which days. */
  note?: string;
  /** What files are called. */
  name: string;
  table: Table;
  children: ReactNode;
  controls?: ReactNode;
  legend?: ReactNode;
  className?: string;
};

export function Figure({ title, note = "", name, table, children, controls, legend, className = "" }: Props) {
  const [asTable, setAsTable] = useState(false);
  const frame = useRef<HTMLElement>(null);
  const heading = useId();
  const png = () => {
    const chart = frame.current?.querySelector<SVGSVGElement>("svg.chart");
    if (chart) void downloadPng(name, chart, title, note);
  };
  return (
    <figure className={`card figure ${className}`} aria-labelledby={heading} ref={frame}>
      <figcaption>
        <div className="titles">
          <h2 id={heading}>{title}</h2>
          {note && <p className="note">{note}</p>}
        </div>
        <div className="figure-controls">
          {controls}
          <Menu label={`More of ${title}`}>
            <button type="button" onClick={() => setAsTable(!asTable)}><Icon name={asTable ? "chart" : "table"} />{asTable ? "Show the chart" : "Show as table"}</button>
            <button type="button" onClick={() => downloadCsv(name, csv(table))}><Icon name="file" />Download CSV</button>
            {!asTable && <button type="button" onClick={png}><Icon name="file" />Download PNG</button>}
          </Menu>
        </div>
      </figcaption>
      {!asTable && legend}
      {asTable ? <DataTable table={table} caption={title} /> : children}
    </figure>
  );
}

/** A disclosure that closes on Escape and on a click anywhere else. */
export function Menu({ label, children }: { label: string; children: ReactNode }) {
  const details = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    const close = (event: Event) => {
      const element = details.current;
      if (!element?.open) return;
      if (event instanceof KeyboardEvent) {
        if (event.key !== "Escape") return;
        element.querySelector("summary")?.focus();
      } else if (element.querySelector("summary")?.contains(event.target as Node)) return;
      element.open = false;
    };
    document.addEventListener("click", close);
    document.addEventListener("keydown", close);
    return () => {
      document.removeEventListener("click", close);
      document.removeEventListener("keydown", close);
    };
  }, []);
  return (
    <details className="menu" ref={details}>
      <summary aria-label={label} title={label}><Icon name="more" /></summary>
      <div className="menu-items">{children}</div>
    </details>
  );
}
