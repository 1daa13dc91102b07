// The only places where a measure becomes text. What is not disclosed has a word of its own, never a number.
import { full, percent, short, signed, type Unit } from "../lib/format";
import { marginOf, type Measure, REASONS, valueOf } from "../lib/measure";

/** A number with its margin, or the reason why there is none. */
export function Value({ measure, unit = "count", brief = false, margin = true }: { measure: Measure; unit?: Unit; brief?: boolean; margin?: boolean }) {
  const value = valueOf(measure);
  if (value === null) return <Missing measure={measure} />;
  const around = margin ? marginOf(measure) : null;
  return (
    <span className="value" data-disclosure={measure.disclosure} title={full(value, unit)}>
      <bdi>{brief ? short(value, unit) : full(value, unit)}</bdi>
      {around !== null && <Margin size={around} unit={unit} />}
    </span>
  );
}

/** ± half the 95 % interval. */
export function Margin({ size, unit = "count" }: { size: number; unit?: Unit }) {
  const text = unit === "ratio" ? percent(size, 1) : full(Math.max(1, Math.round(size)), unit);
  return <small className="margin" title={`95 % interval: give or take ${text}`}> <bdi>± {text}</bdi></small>;
}

export function Missing({ measure }: { measure: Measure }) {
  const { disclosure } = measure;
  if (disclosure === "EXACT" || disclosure === "NOISY") return <span className="missing" data-disclosure={disclosure}>–</span>;
  const reason = REASONS[disclosure];
  return <span className="missing" data-disclosure={disclosure} title={reason.long}>{reason.short}</span>;
}

/** How a number moved against the period before; says nothing where either is not disclosed. */
export function Change({ measure, better = "up" }: { measure: Measure; better?: "up" | "down" }) {
  const { change } = measure;
  if (valueOf(measure) === null || change === null || change === undefined) return <span className="change none" aria-hidden="true">–</span>;
  const flat = Math.abs(change) < 0.0005;
  const tone = flat ? "flat" : (change > 0) === (better === "up") ? "good" : "bad";
  return (
    <span className={`change ${tone}`}>
      <span aria-hidden="true">{flat ? "•" : change > 0 ? "↑" : "↓"} </span>
      <span className="unseen">{flat ? "unchanged" : change > 0 ? "up" : "down"} </span>
      <bdi>{signed(change).replace(/^[+\u2212-]|^[\u200e\u200f\u061c]?[+\u2212-]/u, "")}</bdi>
    </span>
  );
}
