// One counter as a tile, and over time.
import { lazy, Suspense } from "react";
import type { Granularity, StepsFragment } from "../gql/graphql";
import type { Line, Step } from "../charts/line";
import { hourOf, longDay, month, shortDay } from "../lib/format";
import { type Measure, valueOf } from "../lib/measure";
import type { Metric } from "../lib/metrics";
import { Figure } from "./figure";
import { StepPicker } from "./ranges";
import { Change, Value } from "./value";

// On its way while the question is.
const chart = import("../charts/line").then((module) => ({ default: module.LineChart }));
const LineChart = lazy(() => chart);

export function Tile({ metric, measure, chosen, choose }: { metric: Metric; measure: Measure; chosen: boolean; choose: (metric: Metric) => void }) {
  return (
    <button type="button" className="tile" aria-pressed={chosen} onClick={() => choose(metric)} title={metric.help}>
      <span className="tile-label">{metric.label}</span>
      <span className="tile-value"><Value measure={measure} unit={metric.unit} brief /></span>
      <Change measure={measure} />
    </button>
  );
}

export function stepsOf(points: StepsFragment[], metric: Metric, step: Granularity): Step[] {
  return points.map((point) => ({
    label: step === "HOUR" ? hourOf(point.start) : step === "MONTH" || step === "QUARTER" ? month(point.date) : longDay(point.date),
    tick: step === "HOUR" ? hourOf(point.start) : step === "MONTH" || step === "QUARTER" ? month(point.date) : step === "YEAR" ? point.date.slice(0, 4) : shortDay(point.date),
    measure: point.counters[metric.key],
    partial: point.partial,
  }));
}

export function Series({ metric, points, step, days: count, from }: { metric: Metric; points: StepsFragment[]; step: Granularity; days: number; from: string }) {
  const begins = points.findIndex((point) => point.date >= from);
  const main = stepsOf(points.slice(Math.max(0, begins)), metric, step);
  const before = stepsOf(points.slice(0, Math.max(0, begins)), metric, step);
  const lines: Line[] = [{ name: "This period", steps: main, tone: "a" }];
  if (before.some((step) => valueOf(step.measure) !== null)) lines.push({ name: "Period before", steps: before, tone: "a", quiet: true });
  const hidden = main.filter((step) => valueOf(step.measure) === null).length;
  return (
    <Figure
      title={metric.label} note={metric.help} name={`${metric.key}-${from}`} className="series-figure"
      table={{ columns: ["Step", metric.label], rows: main.map((step) => [step.label, { measure: step.measure, unit: metric.unit }]) }}
      controls={<StepPicker days={count} step={step} />}
      legend={(
        <ul className="legend">
          {lines.map((line) => <li key={line.name}><i className={`key tone-${line.tone}${line.quiet ? " quiet" : ""}`} />{line.name}</li>)}
          {hidden > 0 && <li><i className="key hatched" />Withheld: too few viewers</li>}
        </ul>
      )}
    >
      <Suspense fallback={<div className="plot loading" />}><LineChart lines={lines} unit={metric.unit} title={metric.label} /></Suspense>
    </Figure>
  );
}
