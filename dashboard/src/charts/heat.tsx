// The hours of the week: deeper where more viewers were active. Withheld hours are hatched.
import { scaleQuantize } from "d3-scale";
import { useId, useState } from "react";
import { full, hour, percent, weekday } from "../lib/format";
import { isRtl } from "../lib/locale";
import { marginOf, type Measure, reasonOf, shareOf, valueOf } from "../lib/measure";
import { Hatch } from "./hatch";
import { useWidth } from "./size";

export type HourCell = { hour: number; share?: number | null; measure: Measure };

const DAYS = 46;
const HEAD = 22;
const DEPTHS = [1, 2, 3, 4, 5, 6];

/** `cells`: 168, from Monday 00:00 on. */
export function HeatMap({ cells }: { cells: HourCell[] }) {
  const [box, width] = useWidth();
  const [at, setAt] = useState<number | null>(null);
  const id = useId();
  const rtl = isRtl();
  // On a phone the week stands upright: hours go down, days across.
  const upright = width > 0 && width < 560;
  const [columns, rows] = upright ? [7, 24] : [24, 7];
  const start = upright ? 44 : DAYS;
  const wide = Math.max(0, (width - start) / columns);
  const high = upright ? 17 : Math.min(34, Math.max(22, wide));
  const height = HEAD + rows * high;
  const values = cells.map((cell) => valueOf(cell.measure)).filter((value) => value !== null);
  const low = values.length > 0 ? Math.min(...values) : 0;
  const depth = scaleQuantize([low, Math.max(...values, low + 1)], DEPTHS);
  const place = (index: number) => {
    const [day, hour] = [Math.floor(index / 24), index % 24];
    const [column, row] = upright ? [day, hour] : [hour, day];
    const x = start + column * wide;
    return { x: rtl ? width - x - wide : x, y: HEAD + row * high };
  };
  const label = (x: number) => (rtl ? width - x : x);
  const chosen = at === null ? null : cells[at];
  return (
    <div className="plot" ref={box} style={{ minHeight: height }}>
      {width > 0 && (
        <svg className="chart heat" width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label="Viewers by hour of the week, a heat map. The menu above has a table." onPointerLeave={() => setAt(null)}>
          <Hatch id={id} />
          {Array.from({ length: upright ? 7 : 8 }, (_, index) => {
            const hours = index * 3;
            return upright
              ? <text key={index} x={label(start + (index + 0.5) * wide)} y={13} textAnchor="middle">{weekday(index)}</text>
              : <text key={index} x={label(start + hours * wide)} y={13} textAnchor="start" direction={rtl ? "rtl" : "ltr"}>{hour(hours)}</text>;
          })}
          {Array.from({ length: upright ? 8 : 7 }, (_, index) => (
            <text key={index} x={label(0)} y={HEAD + (upright ? index * 3 : index) * high + high / 2 + 4} textAnchor="start" direction={rtl ? "rtl" : "ltr"}>{upright ? hour(index * 3) : weekday(index)}</text>
          ))}
          {cells.map((cell, index) => {
            const value = valueOf(cell.measure);
            const { x, y } = place(index);
            return (
              <rect
                key={index} x={x + 1} y={y + 1} width={Math.max(0, wide - 2)} height={high - 2} rx={upright ? 3 : 4} data-disclosure={cell.measure.disclosure}
                className={value === null ? "withheld" : `depth-${depth(value)}`} {...(value === null ? { fill: `url(#${id})` } : {})}
                onPointerEnter={() => setAt(index)} onPointerDown={() => setAt(index)}
              />
            );
          })}
        </svg>
      )}
      <p className="readout" aria-hidden="true">
        {chosen && at !== null
          ? <><b>{weekday(Math.floor(at / 24), "long")}, {hour(chosen.hour)}</b> {told(chosen)}</>
          : <Scale hidden={values.length < cells.length} none={values.length === 0} />}
      </p>
    </div>
  );
}

function told(cell: HourCell): string {
  const value = valueOf(cell.measure);
  const share = shareOf(cell);
  if (value === null) return reasonOf(cell.measure) ?? "";
  return `${full(value)} ± ${full(marginOf(cell.measure) ?? 0)} viewers${share === null ? "" : `, ${percent(share)} of the reach`}`;
}

function Scale({ hidden, none }: { hidden: boolean; none: boolean }) {
  return (
    <span className="heat-scale">
      {!none && <>Fewer {DEPTHS.map((depth) => <i key={depth} className={`key block depth-${depth}`} />)} More</>}
      {hidden && <><i className="key hatched" /> Withheld</>}
    </span>
  );
}
