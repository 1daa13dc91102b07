// Rows of one breakdown: a bar each, with the margin as a whisker at its end. A withheld row is hatched over the whole width.
import { scaleLinear } from "d3-scale";
import { useId } from "react";
import { full, percent } from "../lib/format";
import { isRtl } from "../lib/locale";
import { marginOf, type Measure, reasonOf, valueOf } from "../lib/measure";
import { Hatch } from "./hatch";
import { useWidth } from "./size";

export type Bar = { key: string; label: string; measure: Measure; share?: number | null | undefined };

const ROW = 44;

export function Bars({ bars, title, whole }: { bars: Bar[]; title: string; whole?: number | null }) {
  const [box, width] = useWidth();
  const id = useId();
  const rtl = isRtl();
  const values = bars.map((bar) => (valueOf(bar.measure) ?? 0) + (marginOf(bar.measure) ?? 0));
  const most = Math.max(...values, 1);
  const scale = scaleLinear([0, Math.max(most, whole !== undefined && whole !== null ? Math.min(whole, most) : 0)], [0, width]).clamp(true);
  const start = rtl ? width : 0;
  const bar = (size: number) => ({ x: rtl ? width - size : 0, width: Math.max(size, 1) });
  return (
    <div className="plot" ref={box} style={{ minHeight: bars.length * ROW }}>
      {width > 0 && (
        <svg className="chart bars" width={width} height={bars.length * ROW} viewBox={`0 0 ${width} ${bars.length * ROW}`} role="img" aria-label={`${title}, a bar chart. The menu above has a table.`}>
          <Hatch id={id} />
          {bars.map((row, index) => {
            const value = valueOf(row.measure);
            const margin = marginOf(row.measure) ?? 0;
            const reason = reasonOf(row.measure);
            const top = index * ROW;
            const end = value === null ? 0 : scale(value);
            const side = (size: number) => (rtl ? width - size : size);
            return (
              <g key={row.key} data-disclosure={row.measure.disclosure} className={row.key === "unknown" ? "bar unknown" : "bar"}>
                <text className="bar-label" x={start} y={top + 15} textAnchor="start" direction={rtl ? "rtl" : "ltr"}>{row.label}</text>
                <text className={value === null ? "bar-none" : "bar-value"} x={width - start} y={top + 15} textAnchor="end" direction={rtl ? "rtl" : "ltr"}>
                  {value === null ? reason : row.share !== null && row.share !== undefined ? <>{percent(row.share)}<tspan className="bar-count" dx={rtl ? -8 : 8}>{full(value)}</tspan></> : full(value)}
                </text>
                <rect className="bar-ground" x={0} y={top + 23} width={width} height={9} rx={4.5} />
                {value === null
                  ? <rect x={0} y={top + 23} width={width} height={9} rx={4.5} fill={`url(#${id})`} />
                  : <rect className="bar-fill" {...bar(end)} y={top + 23} height={9} rx={4.5} />}
                {value !== null && margin > 0 && scale(value + margin) - scale(value - margin) >= 3 && (
                  <path className="whisker" d={`M${side(scale(Math.max(0, value - margin)))},${top + 27.5}H${side(scale(value + margin))}M${side(scale(value + margin))},${top + 24.5}v6`} />
                )}
              </g>
            );
          })}
        </svg>
      )}
    </div>
  );
}
