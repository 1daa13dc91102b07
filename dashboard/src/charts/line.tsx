// Numbers over time, with the period before as a quieter line. Steps without a number are hatched, never drawn as 0.
import { scaleLinear } from "d3-scale";
import { area, line } from "d3-shape";
import { useId, useLayoutEffect, useRef, useState } from "react";
import { isRtl } from "../lib/locale";
import { type Measure, valueOf } from "../lib/measure";
import { Missing } from "../ui/value";
import { spoken } from "../ui/table";
import { full, short, type Unit } from "../lib/format";
import { Hatch } from "./hatch";
import { useWidth } from "./size";

export type Step = { label: string; tick: string; measure: Measure; partial?: boolean };
export type Line = { name: string; steps: Step[]; tone: "a" | "b"; quiet?: boolean };

type Props = { lines: Line[]; unit: Unit; title: string; height?: number; max?: number | undefined };

const MARGIN = { top: 14, bottom: 28, start: 4, end: 52 };

export function LineChart({ lines, unit, title, height = 280, max }: Props) {
  const [box, width] = useWidth();
  return <div className="plot" ref={box} style={{ minHeight: height }}>{width > 0 && <Drawn {...{ lines, unit, title, height, width, max }} />}</div>;
}

function Drawn({ lines, unit, title, height, width, max }: Props & { height: number; width: number }) {
  const [at, setAt] = useState<number | null>(null);
  const id = useId();
  const rtl = isRtl();
  const count = Math.max(...lines.map((line) => line.steps.length));
  const values = lines.flatMap((line) => line.steps.map((step) => valueOf(step.measure) ?? 0));
  const anything = lines.some((line) => line.steps.some((step) => valueOf(step.measure) !== null));
  const top = max ?? Math.max(...values);
  const y = scaleLinear([Math.min(0, ...values), top > 0 ? top : 1], [height - MARGIN.bottom, MARGIN.top]);
  if (max === undefined) y.nice(4);
  // Half a view is no level, and without any number there are none.
  const levels = anything ? y.ticks(4).filter((tick) => unit !== "count" || Number.isInteger(tick)) : [0];
  const inner = width - MARGIN.start - MARGIN.end;
  const along = (index: number) => MARGIN.start + (count > 1 ? (index / (count - 1)) * inner : inner / 2);
  const x = (index: number) => (rtl ? width - along(index) : along(index));
  const gap = count > 1 ? inner / (count - 1) : inner;
  const [main] = lines;
  const ticks = xTicks(count, inner);
  const point = (event: React.PointerEvent<SVGSVGElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    const inside = rtl ? box.right - event.clientX : event.clientX - box.left;
    setAt(Math.max(0, Math.min(count - 1, Math.round(((inside - MARGIN.start) / inner) * (count - 1) || 0))));
  };
  const key = (event: React.KeyboardEvent) => {
    const step = { ArrowLeft: rtl ? 1 : -1, ArrowRight: rtl ? -1 : 1, Home: -count, End: count }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    setAt(Math.max(0, Math.min(count - 1, (at ?? (step > 0 ? -1 : count)) + step)));
  };
  if (!main) return null;
  return (
    <>
      <svg
        className="chart line-chart" width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" tabIndex={0}
        aria-label={`${title}, a line chart of ${count} steps. Arrow keys read the steps; the menu above has a table.`}
        onPointerMove={point} onPointerDown={point} onPointerLeave={() => setAt(null)} onKeyDown={key} onBlur={() => setAt(null)}
      >
        <Hatch id={`${id}h`} />
        <defs>
          <linearGradient id={`${id}g`} x1="0" y1="0" x2="0" y2="1">
            <stop offset="0" className="fade-from" /><stop offset="1" className="fade-to" />
          </linearGradient>
        </defs>
        {levels.map((tick) => (
          <g key={tick} className={tick === 0 ? "grid base" : "grid"}>
            <line x1={x(0)} x2={rtl ? MARGIN.end : width - MARGIN.end} y1={y(tick)} y2={y(tick)} />
            {anything && <text x={rtl ? 0 : width} y={y(tick) - 5} textAnchor="end" direction={rtl ? "rtl" : "ltr"}>{short(tick, unit)}</text>}
          </g>
        ))}
        {main.steps.map((step, index) => {
          if (valueOf(step.measure) !== null) return null;
          const [from, to] = [Math.max(MARGIN.start, along(index) - gap / 2), Math.min(MARGIN.start + inner, along(index) + gap / 2)];
          return <rect key={index} className="gap" data-disclosure={step.measure.disclosure} x={rtl ? width - to : from} width={Math.max(2, to - from)} y={MARGIN.top} height={height - MARGIN.top - MARGIN.bottom} fill={`url(#${id}h)`} />;
        })}
        {[...lines].reverse().map((given) => {
          const defined = (step: Step) => valueOf(step.measure) !== null;
          const made = line<Step>().defined(defined).x((_, index) => x(index)).y((step) => y(valueOf(step.measure) ?? 0));
          const below = area<Step>().defined(defined).x((_, index) => x(index)).y0(y(Math.max(0, y.domain()[0] ?? 0))).y1((step) => y(valueOf(step.measure) ?? 0));
          return (
            <g key={given.name} className={`series tone-${given.tone}${given.quiet ? " quiet" : ""}`}>
              {!given.quiet && lines.filter((line) => !line.quiet).length === 1 && <path className="under" d={below(given.steps) ?? ""} fill={`url(#${id}g)`} />}
              <path className="stroke" d={made(given.steps) ?? ""} />
              {!given.quiet && given.steps.map((step, index) => {
                const value = valueOf(step.measure);
                const alone = value !== null && isNone(given.steps[index - 1]) && isNone(given.steps[index + 1]);
                return value !== null && (alone || step.partial) && <circle key={index} className={step.partial ? "dot open" : "dot"} cx={x(index)} cy={y(value)} r={3} />;
              })}
            </g>
          );
        })}
        {ticks.map((index) => (
          <text key={index} className="tick" x={x(index)} y={height - 8} textAnchor={index === 0 ? "start" : index === count - 1 ? "end" : "middle"} direction={rtl ? "rtl" : "ltr"}>{main.steps[index]?.tick}</text>
        ))}
        {at !== null && (
          <g className="cross">
            <line x1={x(at)} x2={x(at)} y1={MARGIN.top} y2={height - MARGIN.bottom} />
            {lines.map((given) => {
              const step = given.steps[at];
              const value = step ? valueOf(step.measure) : null;
              return value !== null && <circle key={given.name} className={`dot tone-${given.tone}${given.quiet ? " quiet" : ""}`} cx={x(at)} cy={y(value)} r={4.5} />;
            })}
          </g>
        )}
      </svg>
      {at !== null && <Tip lines={lines} at={at} unit={unit} x={x(at)} width={width} />}
      <p className="unseen" aria-live="polite">{at !== null && lines.map((given) => given.steps[at] && `${given.steps[at].label}: ${spoken(given.steps[at].measure, unit)}. `)}</p>
    </>
  );
}

function isNone(step: Step | undefined): boolean {
  return step === undefined || valueOf(step.measure) === null;
}

function Tip({ lines, at, unit, x, width }: { lines: Line[]; at: number; unit: Unit; x: number; width: number }) {
  const tip = useRef<HTMLDivElement>(null);
  const [wide, setWide] = useState(200);
  useLayoutEffect(() => setWide(tip.current?.offsetWidth ?? 200));
  // Beside the line, on the side with more room, and inside the chart.
  const beside = x > width / 2 ? x - 14 - wide : x + 14;
  return (
    <div className="tip" ref={tip} style={{ left: Math.max(0, Math.min(width - wide, beside)) }} aria-hidden="true">
      {lines.map((given) => {
        const step = given.steps[at];
        if (!step) return null;
        const value = valueOf(step.measure);
        return (
          <div key={given.name} className="tip-row">
            <i className={`key tone-${given.tone}${given.quiet ? " quiet" : ""}`} />
            <span>{step.label}{step.partial ? " (not whole)" : ""}</span>
            <b>{value === null ? <Missing measure={step.measure} /> : <bdi>{full(value, unit)}</bdi>}</b>
          </div>
        );
      })}
    </div>
  );
}

/** As many labels as fit, evenly spaced from the last step back. */
export function xTicks(count: number, width: number): number[] {
  if (count <= 1) return count === 1 ? [0] : [];
  const fit = Math.max(2, Math.floor(width / 84));
  const every = Math.max(1, Math.ceil((count - 1) / (fit - 1)));
  const ticks: number[] = [];
  for (let index = count - 1; index >= 0; index -= every) ticks.push(index);
  return ticks.reverse();
}
