// Two parts of one whole as a bar. Where either is withheld there is no bar to draw, and none is drawn.
import { percent } from "../lib/format";
import { type Measure, valueOf } from "../lib/measure";
import { Value } from "./value";

type Part = { label: string; measure: Measure; tone: "a" | "b" };

export function Split({ parts }: { parts: [Part, Part] }) {
  const values = parts.map((part) => valueOf(part.measure));
  const [a, b] = values;
  const whole = a !== null && b !== null && a !== undefined && b !== undefined ? a + b : 0;
  return (
    <div className="split">
      <div className={whole > 0 ? "split-bar" : "split-bar hatched"} aria-hidden="true">
        {whole > 0 && parts.map((part, index) => <i key={part.label} className={`tone-${part.tone}`} style={{ flexGrow: (values[index] ?? 0) / whole }} />)}
      </div>
      <dl>
        {parts.map((part, index) => (
          <div key={part.label}>
            <dt>{part.label}</dt>
            <dd>{whole > 0 && <b>{percent((values[index] ?? 0) / whole, 0)}</b>} <Value measure={part.measure} /></dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
